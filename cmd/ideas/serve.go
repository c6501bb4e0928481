package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	netmail "net/mail"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/declared"
	"github.com/quaeso/community-operator/ideas/mail"
	"github.com/quaeso/community-operator/ideas/oidc"
	"github.com/quaeso/community-operator/ideas/postgres"
	"github.com/quaeso/community-operator/ideas/web"
	"github.com/quaeso/community-operator/ideas/web/translations"
	"github.com/quaeso/community-operator/ideas/webhooks"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/credentials"
)

// Limits of the servers. No page is large or slow; what is slower than this is an attack or an accident.
const (
	headerTimeout   = 5 * time.Second
	readTimeout     = 20 * time.Second
	writeTimeout    = 30 * time.Second
	idleTimeout     = 90 * time.Second
	requestTimeout  = 15 * time.Second
	maxHeaderBytes  = 32 << 10
	shutdownTimeout = 20 * time.Second
)

// service is one process.
type service struct {
	options    options
	log        *slog.Logger
	files      credentials.Folder
	store      *postgres.Store
	worker     *mail.Worker
	metrics    *metrics
	stopping   atomic.Bool
	drainDelay time.Duration
	trimmer    memoryTrimmer
	servers    []*http.Server
}

func newService(o options, log *slog.Logger) (*service, error) {
	drainDelay, err := time.ParseDuration(o.drainDelay)
	if err != nil || drainDelay < 0 || drainDelay > time.Minute {
		return nil, errors.New("--drain-delay must be a duration from 0s to 1m")
	}
	s := &service{options: o, log: log, files: credentials.Folder(o.credentialsDir), drainDelay: drainDelay}
	config := postgres.Config{
		URI: o.uri(), MaxConns: int32(o.maxConns), Logger: log, Clock: s.options.clock.now, //nolint:gosec // checked with the flags
		MailEnabled: func() bool { _, on, err := s.mailConfig(); return on && err == nil },
	}
	if o.alone() && o.declared == "" {
		fallback, err := sampleSettings(o)
		if err != nil {
			return nil, err
		}
		config.Fallback = &fallback
	}
	deliverer := webhooks.New(webhooks.Config{
		Store: func() webhooks.Store { return s.store }, AllowPrivate: o.allowPrivateIssuers, Logger: log,
		Result: func(delivered bool) { s.metrics.webhook(delivered) },
	})
	config.Jobs = append(config.Jobs, postgres.Jobs{Register: deliverer.Register})
	config.Jobs = append(config.Jobs, postgres.Jobs{Register: func(workers *river.Workers) { s.postman().Register(workers) }})
	s.store = postgres.New(config)
	s.metrics = newMetrics(s.store)
	s.worker = &mail.Worker{
		Outbox: s.store, Settings: s.store, Config: s.mailConfig, LinkPath: web.LinkPath, Logger: log, Result: s.metrics.mail,
	}
	return s, nil
}

// postman writes what members are told by mail.
func (s *service) postman() *mail.Postman {
	return &mail.Postman{Letters: s.store, Settings: s.store, Config: s.mailConfig, Paths: mail.Paths{
		Guardian: web.GuardianPath, Unsubscribe: web.UnsubscribePath, Notices: web.NoticesPath, NoticeSettings: web.NoticeSettingsPath,
		Erasure: web.ErasurePath,
	}}
}

// serve runs until the context ends, then lets requests under way finish. The ports are open from the start:
// the operator can ask why the database is not ready.
func (s *service) serve(ctx context.Context) error {
	allowGarbage(quietGarbage)
	listeners, err := s.listen(ctx)
	if err != nil {
		return err
	}
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBackground()
	var wait sync.WaitGroup
	wait.Go(func() { s.store.Run(background) })
	wait.Go(func() { s.trimmer.run(background) })
	wait.Go(func() {
		s.options.clock.follow(background, func(ctx context.Context) error {
			return errors.Join(s.store.CarryOut(ctx), s.store.Snapshot(ctx, s.options.clock.now()))
		})
	})
	if s.options.declared != "" {
		rules, err := s.rules()
		if err != nil {
			return err
		}
		wait.Go(func() { rules.Follow(background, s.options.declared, s.store, s.log) })
	}
	// The worker stops before the store, which its last sends need.
	working, stopWorking := context.WithCancel(background)
	defer stopWorking()
	workerDone := make(chan struct{})
	go func() { defer close(workerDone); s.worker.Run(working) }()

	failed := make(chan error, len(s.servers))
	for i, server := range s.servers {
		wait.Go(func() {
			if err := server.Serve(listeners[i]); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve %s: %w", listeners[i].Addr(), err)
			}
		})
	}
	s.logAddresses(listeners)
	if s.options.alone() && s.options.declared == "" {
		settings, _ := s.store.Current(ctx)
		s.log.Info("running alone with a sample brand: open it in a browser", "url", settings.BaseURL)
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	err = errors.Join(err, s.shutdown())
	stopWorking()
	<-workerDone
	stopBackground()
	wait.Wait()
	s.log.Info("stopped")
	return err
}

func (s *service) logAddresses(listeners []net.Listener) {
	values := []any{"version", versionText()}
	for i, name := range []string{"pages", "management", "control"}[:len(listeners)] {
		values = append(values, name, listeners[i].Addr().String())
	}
	s.log.Info("serving", values...)
}

// shutdown turns /readyz first, so that proxies stop sending; it answers until the pages are done.
func (s *service) shutdown() error {
	s.stopping.Store(true)
	s.log.Info("stopping")
	if s.drainDelay > 0 {
		time.Sleep(s.drainDelay)
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	var failures []error
	for _, server := range s.servers {
		if err := server.Shutdown(ctx); err != nil {
			failures = append(failures, fmt.Errorf("finish requests: %w", err), server.Close())
		}
	}
	return errors.Join(failures...)
}

// listen opens the ports, the pages' first.
func (s *service) listen(ctx context.Context) ([]net.Listener, error) {
	type port struct {
		address string
		handler http.Handler
	}
	ports := []port{{s.options.listen, s.pages()}, {s.options.managementListen, s.management()}}
	if !s.options.alone() {
		api, err := s.controlAPI()
		if err != nil {
			return nil, err
		}
		ports = append(ports, port{s.options.controlListen, api})
	}
	var listeners []net.Listener
	for _, p := range ports {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.address)
		if err != nil {
			for _, opened := range listeners {
				_ = opened.Close() // the process ends
			}
			return nil, fmt.Errorf("open port %s: %w", p.address, err)
		}
		listeners = append(listeners, l)
		s.servers = append(s.servers, &http.Server{
			Handler: p.handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
			IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		})
	}
	return listeners, nil
}

func (s *service) pages() http.Handler {
	config := web.Config{
		Store: s.store, SignIn: s.store, Recognition: s.store, Settings: s.store, Programme: s.store, Clock: s.options.clock.now, Logger: s.log, Version: versionText(),
		Alone: s.options.alone(), BehindProxy: s.options.behindProxy,
	}
	if id, err := s.files.Read(control.FileOIDCClientID); err == nil && id != "" {
		config.OIDC = issuer{oidc.New(s.oidcCredentials, s.options.allowPrivateIssuers)}
	}
	return withDeadline(s.trimmer.count(s.metrics.measure(web.New(config))))
}

// withDeadline ends what a request has asked of a database that no longer answers.
func withDeadline(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func (s *service) management() http.Handler {
	return web.NewManagement(web.ManagementConfig{
		Database: s.store.Database, Stopping: s.stopping.Load, Metrics: s.metrics.handler(),
		Declared: func() bool { _, ok := s.store.Current(context.Background()); return ok },
	})
}

func (s *service) controlAPI() (http.Handler, error) {
	rules, err := s.rules()
	if err != nil {
		return nil, err
	}
	return web.NewControl(web.ControlConfig{
		Declarations: s.store, Settings: s.store, SignIn: s.signIn, Locales: rules.Locales, Clock: s.options.clock.now, SetClock: s.options.clock.setter(),
		Token:             func() (string, error) { return s.files.Read(control.FileControlToken) },
		AllowPlainIssuers: s.options.allowPrivateIssuers, Version: versionText(), Logger: s.log,
	}), nil
}

// rules decide what may be declared.
func (s *service) rules() (declared.Rules, error) {
	catalogs, err := translations.Load()
	if err != nil {
		return declared.Rules{}, fmt.Errorf("list the locales: %w", err)
	}
	return declared.Rules{Locales: slices.Sorted(maps.Keys(catalogs)), PlainIssuers: s.options.allowPrivateIssuers}, nil
}

// signIn lists the ways of signing in that work.
func (s *service) signIn() []string {
	var ways []string
	if s.store.MailEnabled() {
		ways = append(ways, "email")
	}
	settings, _ := s.store.Current(context.Background())
	if id, err := s.oidcCredentials(); err == nil && id.ID != "" && settings.OIDC != nil {
		ways = append(ways, "oidc")
	}
	return ways
}

func (s *service) mailConfig() (mail.Config, bool, error) {
	if !s.options.alone() {
		return mail.Read(s.files)
	}
	if s.options.smtpHost == "" {
		return mail.Config{}, false, nil
	}
	port, err := strconv.ParseUint(s.options.smtpPort, 10, 16)
	if err != nil {
		return mail.Config{}, false, errors.New("--smtp-port must be a port number")
	}
	from, err := netmail.ParseAddress(s.options.mailFrom)
	if err != nil {
		return mail.Config{}, false, errors.New("--mail-from must be an address such as Ideas <ideas@brand.example>")
	}
	return mail.Config{Host: s.options.smtpHost, Port: int(port), From: *from, TLS: mail.TLSNone}, true, nil
}

func (s *service) oidcCredentials() (oidc.Credentials, error) {
	id, err := s.files.Read(control.FileOIDCClientID)
	if err != nil {
		return oidc.Credentials{}, err
	}
	secret, err := s.files.Read(control.FileOIDCClientSecret)
	return oidc.Credentials{ID: id, Secret: secret}, err
}

// issuer lets the pages ask the OpenID Connect issuer: neither package knows the other.
type issuer struct{ client *oidc.Client }

func (i issuer) AuthURL(ctx context.Context, settings ideas.OIDCSettings, redirectURL string, a web.OIDCAttempt) (string, error) {
	return i.client.AuthURL(ctx, settings, redirectURL, oidc.Attempt(a))
}

func (i issuer) Exchange(ctx context.Context, settings ideas.OIDCSettings, redirectURL, code string, a web.OIDCAttempt) (ideas.Identity, error) {
	return i.client.Exchange(ctx, settings, redirectURL, code, oidc.Attempt(a))
}

func readURI(read func() (string, error), source string) (string, error) {
	uri, err := read()
	if err != nil {
		return "", err
	}
	if uri == "" {
		return "", fmt.Errorf("%s is missing or empty", source)
	}
	return uri, nil
}

func readFile(path string) (string, error) {
	raw, err := os.ReadFile(path) //nolint:gosec // named by whoever runs us
	if err != nil {
		return "", fmt.Errorf("read the connection URI: %w", err)
	}
	return strings.TrimSpace(string(raw)), nil
}
