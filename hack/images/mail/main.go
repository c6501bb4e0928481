// Mail catches every message that the demo and the tests send, and shows them: SMTP comes in, nothing goes out.
// The HTTP API is the part of Mailpit's that tests need, so that either program can stand here:
//
//	GET    /api/v1/messages            newest first; ?query= as in search
//	GET    /api/v1/search?query=to:x   messages whose recipient, subject or text contains x
//	GET    /api/v1/message/{id}        one message with its text; {id} may be "latest"
//	DELETE /api/v1/messages            forget all
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/emersion/go-smtp"
)

func main() {
	smtpAddress := flag.String("smtp", ":1025", "address to receive mail on")
	httpAddress := flag.String("http", ":8025", "address of the inbox and the API")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *smtpAddress, *httpAddress); err != nil {
		fmt.Fprintln(os.Stderr, "mail:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, smtpAddress, httpAddress string) error {
	box := &inbox{}
	mailServer := newSMTPServer(smtpAddress, box)
	webServer := &http.Server{Addr: httpAddress, Handler: newHandler(box), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 2)
	go func() { failed <- mailServer.ListenAndServe() }()
	go func() { failed <- webServer.ListenAndServe() }()
	fmt.Fprintf(os.Stderr, "mail: SMTP on %s, inbox on %s\n", smtpAddress, httpAddress)
	select {
	case err := <-failed:
		if errors.Is(err, smtp.ErrServerClosed) || errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	case <-ctx.Done():
		return errors.Join(mailServer.Close(), webServer.Close())
	}
}
