// Package mail sends what the idea service mails: sign-in links.
package mail

import (
	"crypto/x509"
	"fmt"
	"net/mail"
	"strconv"

	gomail "github.com/wneessen/go-mail"

	"github.com/quaeso/community-operator/internal/control"
)

// defaultPort is the submission port (RFC 6409).
const defaultPort = 587

// TLS modes of the connection to the SMTP server.
const (
	// TLSStart begins in clear and refuses to go on without STARTTLS.
	TLSStart = "starttls"
	// TLSImplicit speaks TLS from the first byte.
	TLSImplicit = "tls"
	// TLSNone never uses TLS; passwords are then sent by mechanisms that do not show them, or not at all.
	TLSNone = "none"
)

// Config of the SMTP server.
type Config struct {
	Host     string
	Port     int
	Username string
	Password string
	// From is the sender; the brand's name is added where it has none.
	From mail.Address
	// TLS is one of the TLS constants.
	TLS string
	// RootCAs verify the server; the system's when nil.
	RootCAs *x509.CertPool
}

// Files reads one credential by its name, empty when absent.
type Files interface {
	Read(name string) (string, error)
}

// Read makes a Config of credential files. configured is false where no host is named, which switches mail off.
func Read(files Files) (config Config, configured bool, err error) {
	values := map[string]string{}
	for _, name := range []string{
		control.FileMailHost, control.FileMailPort, control.FileMailUsername, control.FileMailPassword,
		control.FileMailFrom, control.FileMailTLS,
	} {
		if values[name], err = files.Read(name); err != nil {
			return Config{}, false, fmt.Errorf("read the mail settings: %w", err)
		}
	}
	if values[control.FileMailHost] == "" {
		return Config{}, false, nil
	}
	config = Config{
		Host: values[control.FileMailHost], Port: defaultPort, TLS: TLSStart,
		Username: values[control.FileMailUsername], Password: values[control.FileMailPassword],
	}
	if port := values[control.FileMailPort]; port != "" {
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 {
			return Config{}, false, fmt.Errorf("%s must be a port number from 1 to 65535", control.FileMailPort)
		}
		config.Port = int(number)
	}
	if tls := values[control.FileMailTLS]; tls != "" {
		config.TLS = tls
	}
	if config.TLS != TLSStart && config.TLS != TLSImplicit && config.TLS != TLSNone {
		return Config{}, false, fmt.Errorf("%s must be %s, %s or %s", control.FileMailTLS, TLSStart, TLSImplicit, TLSNone)
	}
	from, err := mail.ParseAddress(values[control.FileMailFrom])
	if err != nil {
		return Config{}, false, fmt.Errorf("%s must be an address such as Ideas <ideas@brand.example>", control.FileMailFrom)
	}
	config.From = *from
	return config, true, nil
}

func (c Config) client() (*gomail.Client, error) {
	options := []gomail.Option{gomail.WithPort(c.Port), gomail.WithTimeout(sendTimeout), gomail.WithTLSConfig(c.tlsConfig())}
	switch c.TLS {
	case TLSImplicit:
		options = append(options, gomail.WithSSL())
	case TLSNone:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if c.Username != "" {
		// Discovery picks a mechanism that shows the password only over TLS.
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(c.Username), gomail.WithPassword(c.Password))
	}
	client, err := gomail.NewClient(c.Host, options...)
	if err != nil {
		return nil, fmt.Errorf("prepare the SMTP client: %w", err)
	}
	return client, nil
}
