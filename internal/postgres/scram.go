package postgres

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

const (
	scramIterations = 4096 // PostgreSQL's own; passwords here are random, so that more would protect nothing
	scramSaltBytes  = 16
)

// scramVerifier computes what PostgreSQL stores for a password (RFC 5803), so that the server, its logs and
// its statistics never see the password itself.
func scramVerifier(password string) (string, error) {
	salt := make([]byte, scramSaltBytes)
	_, _ = rand.Read(salt) // never fails, see crypto/rand
	return scramVerifierWithSalt(password, salt, scramIterations)
}

func scramVerifierWithSalt(password string, salt []byte, iterations int) (string, error) {
	if password == "" {
		return "", errors.New("the role's password is empty")
	}
	for _, r := range password {
		// Beyond ASCII, client and server would have to agree on how to normalise the text.
		if r < ' ' || r > '~' {
			return "", errors.New("the role's password must consist of printable ASCII characters")
		}
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("derive the role's SCRAM verifier: %w", err)
	}
	stored := sha256.Sum256(hmacOf(salted, "Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", iterations, encode(salt),
		encode(stored[:]), encode(hmacOf(salted, "Server Key"))), nil
}

func hmacOf(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(text)) // never fails, see hash.Hash
	return mac.Sum(nil)
}
