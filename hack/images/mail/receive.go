package main

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"strings"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // mail is not always UTF-8
	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

const maxMessageBytes = 10 << 20

func newSMTPServer(address string, box *inbox) *smtp.Server {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &session{box: box}, nil
	}))
	server.Addr = address
	server.Domain = "mail.community.localhost"
	server.ReadTimeout, server.WriteTimeout = time.Minute, time.Minute
	server.MaxMessageBytes = maxMessageBytes
	server.MaxRecipients = 100
	// Any user and password will do: it is the client's settings that are tried out here.
	server.AllowInsecureAuth = true
	return server
}

// session is one SMTP connection.
type session struct {
	box *inbox
	to  []string
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, _, _ string) error { return nil }), nil
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(reader io.Reader) error {
	raw, err := io.ReadAll(reader)
	if err != nil {
		return err
	}
	received, err := parse(raw, s.to, time.Now())
	if err != nil {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: err.Error()}
	}
	s.box.add(received)
	return nil
}

func (s *session) Reset()        { s.to = nil }
func (s *session) Logout() error { return nil }

// parse reads a message; envelope recipients count even when the header does not name them.
func parse(raw []byte, to []string, now time.Time) (letter, error) {
	reader, err := mail.CreateReader(bytes.NewReader(raw))
	if err != nil && !message.IsUnknownCharset(err) {
		return letter{}, fmt.Errorf("not a mail message: %w", err)
	}
	subject, _ := reader.Header.Subject()
	received := letter{Created: now, Subject: subject, Size: len(raw)}
	if from, err := reader.Header.AddressList("From"); err == nil && len(from) > 0 {
		received.From = address{Name: from[0].Name, Address: from[0].Address}
	}
	for _, recipient := range to {
		received.To = append(received.To, address{Address: recipient})
	}
	for {
		part, err := reader.NextPart()
		if err == io.EOF {
			return received, nil
		}
		if err != nil && !message.IsUnknownCharset(err) {
			return letter{}, fmt.Errorf("read a part of the message: %w", err)
		}
		header, ok := part.Header.(*mail.InlineHeader)
		if !ok {
			received.Attachments++
			continue
		}
		content, err := io.ReadAll(part.Body)
		if err != nil {
			return letter{}, fmt.Errorf("decode a part of the message: %w", err)
		}
		switch kind, _, _ := mime.ParseMediaType(header.Get("Content-Type")); {
		case kind == "text/html":
			received.HTML += string(content)
		case kind == "" || strings.HasPrefix(kind, "text/"):
			received.Text += string(content)
		}
	}
}
