package testutil

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// writeCertificates makes a certificate authority and a server certificate for localhost and 127.0.0.1, and
// returns the file of the authority's certificate.
func (s *PostgresServer) writeCertificates(credential *syscall.Credential) (string, error) {
	ca, leaf, err := newCertificates()
	if err != nil {
		return "", err
	}
	key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		return "", fmt.Errorf("encode the server's key: %w", err)
	}
	for name, block := range map[string]*pem.Block{
		"ca.crt":     {Type: "CERTIFICATE", Bytes: ca.Raw},
		"server.crt": {Type: "CERTIFICATE", Bytes: certificateOf(leaf)},
		"server.key": {Type: "PRIVATE KEY", Bytes: key},
	} {
		path := filepath.Join(s.folder, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			return "", fmt.Errorf("write the server's certificates: %w", err)
		}
		if err := s.give(path, credential); err != nil {
			return "", err
		}
	}
	return filepath.Join(s.folder, "ca.crt"), nil
}

func certificateOf(leaf tls.Certificate) []byte { return leaf.Certificate[0] }
