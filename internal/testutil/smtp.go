package testutil

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"
)

// SMTPOptions of a server.
type SMTPOptions struct {
	// TLS offers STARTTLS; Implicit speaks TLS from the first byte instead.
	TLS, Implicit bool
	// Username and Password are asked for where set, by AUTH PLAIN.
	Username, Password string
	// Refuse returns the answer to a recipient, such as "550 no such mailbox"; empty accepts.
	Refuse func(recipient string) string
	// RefuseData returns the answer to a message's text; empty accepts.
	RefuseData func(text string) string
}

// SMTPServer speaks SMTP (RFC 5321) on a loopback port and keeps what it receives.
type SMTPServer struct {
	Host string
	Port int
	// RootCAs verify its certificate.
	RootCAs *x509.CertPool

	options SMTPOptions
	config  *tls.Config
	mails   chan SMTPMail

	mutex      sync.Mutex
	transcript strings.Builder
}

// SMTPMail is a message received.
type SMTPMail struct {
	From string
	To   []string
	// Text is the message as it came.
	Text string
	// Message is the same, parsed.
	Message *mail.Message
	// Encrypted tells whether it came over TLS, Username who sent it.
	Encrypted bool
	Username  string
}

// StartSMTP starts a server for one test.
func StartSMTP(t testing.TB, options SMTPOptions) *SMTPServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("start an SMTP server: %v", err)
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("start an SMTP server: unexpected address %s", listener.Addr())
	}
	s := &SMTPServer{Host: "127.0.0.1", Port: address.Port, options: options, mails: make(chan SMTPMail, 1000)}
	if options.TLS || options.Implicit {
		ca, leaf, err := newCertificates()
		if err != nil {
			t.Fatalf("start an SMTP server: %v", err)
		}
		s.RootCAs = x509.NewCertPool()
		s.RootCAs.AddCert(ca)
		s.config = &tls.Config{Certificates: []tls.Certificate{leaf}, MinVersion: tls.VersionTLS12}
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

// Mail waits for the next message.
func (s *SMTPServer) Mail(t testing.TB) SMTPMail {
	t.Helper()
	select {
	case m := <-s.mails:
		return m
	case <-time.After(time.Minute):
		t.Fatal("no mail within a minute")
		return SMTPMail{}
	}
}

// Take waits for the next message until the context ends, which ok tells.
func (s *SMTPServer) Take(ctx context.Context) (m SMTPMail, ok bool) {
	select {
	case m = <-s.mails:
		return m, true
	case <-ctx.Done():
		return SMTPMail{}, false
	}
}

// PlainText is what a mail program without markup shows: the subject and the text.
func (m SMTPMail) PlainText() (string, error) {
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Message.Header.Get("Subject"))
	if err != nil {
		return "", fmt.Errorf("read the subject: %w", err)
	}
	kind, parameters, err := mime.ParseMediaType(m.Message.Header.Get("Content-Type"))
	if err != nil {
		return "", fmt.Errorf("read the content type: %w", err)
	}
	body, encoding := io.Reader(strings.NewReader(m.Text)), m.Message.Header.Get("Content-Transfer-Encoding")
	parsed, err := mail.ReadMessage(body)
	if err != nil {
		return "", fmt.Errorf("read the mail: %w", err)
	}
	body = parsed.Body
	if strings.HasPrefix(kind, "multipart/") {
		part, err := multipart.NewReader(body, parameters["boundary"]).NextRawPart()
		if err != nil {
			return "", fmt.Errorf("read the first part: %w", err)
		}
		body, encoding = part, part.Header.Get("Content-Transfer-Encoding")
	}
	if strings.EqualFold(encoding, "quoted-printable") {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return "", fmt.Errorf("read the text: %w", err)
	}
	return subject + "\n\n" + string(text), nil
}

// Received is the number of messages that nobody has taken yet.
func (s *SMTPServer) Received() int { return len(s.mails) }

// Transcript of all that clients have sent.
func (s *SMTPServer) Transcript() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.transcript.String()
}

// smtpSession is one connection.
type smtpSession struct {
	server *SMTPServer
	conn   net.Conn
	reader *bufio.Reader
	mail   SMTPMail
}

func (s *SMTPServer) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	session := &smtpSession{server: s, conn: conn}
	if s.options.Implicit {
		session.encrypt()
	}
	session.reader = bufio.NewReader(session.conn)
	session.say("220 test ESMTP")
	for {
		line, err := session.read()
		if err != nil || !session.command(line) {
			return
		}
	}
}

func (c *smtpSession) encrypt() {
	c.conn = tls.Server(c.conn, c.server.config)
	c.reader = bufio.NewReader(c.conn)
	c.mail.Encrypted = true
}

func (c *smtpSession) say(line string) { _, _ = fmt.Fprintf(c.conn, "%s\r\n", line) }

func (c *smtpSession) read() (string, error) {
	line, err := c.reader.ReadString('\n')
	c.server.mutex.Lock()
	c.server.transcript.WriteString(line)
	c.server.mutex.Unlock()
	return strings.TrimRight(line, "\r\n"), err
}

// command answers one line; false ends the session.
func (c *smtpSession) command(line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO":
		c.hello()
	case "STARTTLS":
		c.say("220 go on")
		c.encrypt()
	case "AUTH":
		c.authenticate(rest)
	case "MAIL":
		if c.server.options.Username != "" && c.mail.Username == "" {
			c.say("530 authentication required")
			return true
		}
		c.mail.From, c.mail.To = angle(rest), nil
		c.say("250 ok")
	case "RCPT":
		if c.server.options.Refuse != nil {
			if answer := c.server.options.Refuse(angle(rest)); answer != "" {
				c.say(answer)
				return true
			}
		}
		c.mail.To = append(c.mail.To, angle(rest))
		c.say("250 ok")
	case "DATA":
		return c.data()
	case "QUIT":
		c.say("221 bye")
		return false
	default: // NOOP, RSET
		c.say("250 ok")
	}
	return true
}

func (c *smtpSession) hello() {
	c.say("250-test")
	if c.server.options.TLS && !c.mail.Encrypted {
		c.say("250-STARTTLS")
	}
	if c.server.options.Username != "" {
		c.say("250-AUTH PLAIN")
	}
	c.say("250 8BITMIME")
}

func (c *smtpSession) authenticate(rest string) {
	_, encoded, _ := strings.Cut(rest, " ")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	parts := strings.Split(string(raw), "\x00")
	if err != nil || len(parts) != 3 || parts[1] != c.server.options.Username || parts[2] != c.server.options.Password {
		c.say("535 wrong user or password")
		return
	}
	c.mail.Username = parts[1]
	c.say("235 welcome")
}

func (c *smtpSession) data() bool {
	c.say("354 go on")
	var text strings.Builder
	for {
		line, err := c.read()
		if err != nil {
			return false
		}
		if line == "." {
			break
		}
		text.WriteString(strings.TrimPrefix(line, ".") + "\r\n")
	}
	if c.server.options.RefuseData != nil {
		if answer := c.server.options.RefuseData(text.String()); answer != "" {
			c.say(answer)
			return true
		}
	}
	received := c.mail
	received.Text = text.String()
	message, err := mail.ReadMessage(strings.NewReader(received.Text))
	if err != nil {
		c.say("554 not a message")
		return true
	}
	received.Message = message
	c.server.mails <- received
	c.say("250 taken")
	return true
}

// angle returns what stands between angle brackets.
func angle(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}
