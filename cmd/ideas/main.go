// Command ideas is the idea service of one community: its pages, and the control API that the operator
// declares its settings through. With --database-url it runs alone, with a sample brand, for work on pages.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	_ "time/tzdata" // for machines and images without time zones

	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/credentials"
)

// version is set by the build: -ldflags "-X main.version=v1.2.3".
var version = ""

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		stop()
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		_, _ = fmt.Fprintln(os.Stderr, "ideas:", err)
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	if len(args) > 0 && args[0] == "seed" {
		return seed(ctx, args[1:], out, errOut)
	}
	if len(args) > 0 && args[0] == "verify-result" {
		return verifyResult(args[1:], out, errOut)
	}
	var o options
	flags := flag.NewFlagSet("ideas", flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.Usage = func() {
		_, _ = fmt.Fprintln(errOut, "Usage: ideas [flags]        serve a community\n       ideas seed [flags]   fill a database with sample content\n       ideas verify-result FILE   count the ballots of a published result again\n\nFlags:")
		flags.PrintDefaults()
	}
	o.declare(flags)
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("read the flags: %w", err)
	}
	if o.version {
		_, err := fmt.Fprintln(out, versionText())
		return err
	}
	if err := o.check(flags); err != nil {
		return err
	}
	log, err := o.logger(errOut)
	if err != nil {
		return err
	}
	s, err := newService(o, log)
	if err != nil {
		return err
	}
	return s.serve(ctx)
}

// databaseOptions say where the database is.
type databaseOptions struct {
	credentialsDir  string
	databaseURL     string
	databaseURLFile string
	logLevel        string
	logFormat       string
}

func (o *databaseOptions) declare(flags *flag.FlagSet) {
	flags.StringVar(&o.credentialsDir, "credentials-dir", "", "folder of credential files, as the operator mounts it; files are re-read when they change")
	flags.StringVar(&o.databaseURL, "database-url", "", "PostgreSQL connection URI, for running alone; other users of the machine can see it: prefer --database-url-file")
	flags.StringVar(&o.databaseURLFile, "database-url-file", "", "file with the PostgreSQL connection URI")
	flags.StringVar(&o.logLevel, "log-level", "info", "debug, info, warn or error")
	flags.StringVar(&o.logFormat, "log-format", "json", "json or text")
}

// options of serving.
type options struct {
	databaseOptions
	listen, controlListen, managementListen string
	baseURL                                 string
	smtpHost, smtpPort, mailFrom            string
	maxConns                                int
	drainDelay                              string
	behindProxy                             bool
	allowPrivateIssuers                     bool
	declared                                string
	clock                                   clock
	version                                 bool
}

func (o *options) declare(flags *flag.FlagSet) {
	o.databaseOptions.declare(flags)
	flags.StringVar(&o.listen, "listen", ":8080", "address of the pages")
	flags.StringVar(&o.controlListen, "control-listen", ":8081", "address of the control API; not served when running alone")
	flags.StringVar(&o.managementListen, "management-listen", ":8082", "address of /livez, /readyz and /metrics")
	flags.IntVar(&o.maxConns, "database-max-conns", 8, "most connections of the pool; one more listens for declarations")
	flags.BoolVar(&o.behindProxy, "behind-proxy", false, "take clients' addresses from the last entry of X-Forwarded-For; true with --credentials-dir unless given")
	flags.BoolVar(&o.allowPrivateIssuers, "allow-private-issuers", false, "let OpenID Connect issuers and webhooks have plain http, loopback and private addresses; for tests and local work")
	flags.StringVar(&o.drainDelay, "drain-delay", "0s", "how long to go on serving after /readyz has turned, before connections are closed")
	flags.StringVar(&o.baseURL, "base-url", "", "running alone: the address of links in mails (default http://localhost and the port of --listen)")
	flags.StringVar(&o.smtpHost, "smtp-host", "", "running alone: SMTP server without TLS and password, such as a mail catcher; sign-in by mail is off without it")
	flags.StringVar(&o.smtpPort, "smtp-port", "1025", "running alone: port of the SMTP server")
	flags.StringVar(&o.mailFrom, "mail-from", "Ideas <ideas@brand.example>", "running alone: sender of mails")
	flags.StringVar(&o.declared, "declared", "", "running alone: file with the community's settings, challenges and reward policies, in the control contract's format as YAML; followed when it changes")
	o.clock.declare(flags)
	flags.BoolVar(&o.version, "version", false, "print the version and end")
}

// alone tells whether the service runs without an operator.
func (o *databaseOptions) alone() bool { return o.credentialsDir == "" }

func (o *databaseOptions) check() error {
	given := 0
	for _, source := range []string{o.credentialsDir, o.databaseURL, o.databaseURLFile} {
		if source != "" {
			given++
		}
	}
	if given != 1 {
		return errors.New("give one of --credentials-dir, --database-url and --database-url-file")
	}
	return nil
}

func (o *options) check(flags *flag.FlagSet) error {
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	if o.maxConns < 1 || o.maxConns > 1000 {
		return errors.New("--database-max-conns must be from 1 to 1000")
	}
	if o.declared != "" && !o.alone() {
		return errors.New("--declared is for running alone: with --credentials-dir the operator declares")
	}
	behindProxyGiven := false
	flags.Visit(func(f *flag.Flag) { behindProxyGiven = behindProxyGiven || f.Name == "behind-proxy" })
	if !behindProxyGiven {
		o.behindProxy = !o.alone()
	}
	return o.databaseOptions.check()
}

func (o *databaseOptions) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return nil, errors.New("--log-level must be debug, info, warn or error")
	}
	switch o.logFormat {
	case "json":
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})), nil
	case "text":
		return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})), nil
	}
	return nil, errors.New("--log-format must be json or text")
}

// uri returns the source of the connection URI.
func (o *databaseOptions) uri() func() (string, error) {
	return func() (string, error) {
		switch {
		case o.databaseURL != "":
			return o.databaseURL, nil
		case o.databaseURLFile != "":
			return readURI(func() (string, error) { return readFile(o.databaseURLFile) }, o.databaseURLFile)
		}
		return readURI(func() (string, error) {
			return credentials.Folder(o.credentialsDir).Read(control.FileDatabaseURI)
		}, control.FileDatabaseURI)
	}
}

func versionText() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return info.Main.Version
}
