package community_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/quaeso/community-operator/internal/control"
)

// ideaService stands for the pods of one community's idea service. It has what the pods mounted when they were
// last rolled, and its answers are those of the control contract.
type ideaService struct {
	mu sync.Mutex
	// rolled is the credentials annotation of the pod template that runs.
	rolled string
	token  string
	files  map[string][]byte
	// database tells how its connection is.
	database func(files map[string][]byte) control.Database
	inForce  control.InForce
	declared []control.Declaration
	// standing is how the community stands, and happened what has happened in it.
	standing *control.CommunityState
	happened int64
	// observed counts how often somebody looked.
	observed int
	// refusals are its answer to every declaration, where there are any.
	refusals []control.Refusal
	// answer stands in for its answers; nil for the contract's.
	answer http.Handler
}

// change changes the service under its lock.
func (s *ideaService) change(how func(*ideaService)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	how(s)
}

// ready tells whether its pods are.
func (s *ideaService) ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inForce.UID != "" && s.database(s.files).Ready
}

// lastDeclared returns the declaration that came last.
func (s *ideaService) lastDeclared() (control.Declaration, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.declared) == 0 {
		return control.Declaration{}, 0
	}
	return s.declared[len(s.declared)-1], len(s.declared)
}

// observations returns how often somebody looked.
func (s *ideaService) observations() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.observed
}

// ServeHTTP implements http.Handler by the control contract.
func (s *ideaService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answer != nil {
		s.answer.ServeHTTP(w, r)
		return
	}
	database := s.database(s.files)
	switch {
	case r.Header.Get("Authorization") != "Bearer "+s.token:
		http.Error(w, "who are you?", http.StatusUnauthorized)
	case r.Method == http.MethodGet && r.URL.Path == control.ObjectsPath:
		write(w, http.StatusOK, control.Objects{Happened: s.happened})
	case r.Method == http.MethodGet:
		s.observed++
		write(w, http.StatusOK, control.State{Version: "1.0.0", InForce: s.inForce, Database: database, Community: s.standing})
	default:
		s.declare(w, r, database)
	}
}

func (s *ideaService) declare(w http.ResponseWriter, r *http.Request, database control.Database) {
	var d control.Declaration
	if err := control.Decode(r.Body, &d); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.declared = append(s.declared, d)
	status := http.StatusOK
	switch {
	case !database.Ready:
		status = http.StatusServiceUnavailable
	case d.UID == s.inForce.UID && d.Generation < s.inForce.Generation:
		status = http.StatusConflict
	case len(s.refusals) > 0:
		status = http.StatusUnprocessableEntity
	default:
		s.inForce = control.InForce{UID: d.UID, Generation: d.Generation, Digest: d.Settings.Digest()}
	}
	write(w, status, control.Answer{InForce: s.inForce, Refusals: s.refusals, Database: database})
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// controlPort stands for the control ports of all communities: the Host header tells which one is meant.
type controlPort struct {
	mu       sync.Mutex
	services map[string]*ideaService // by cluster IP
}

func newControlPort() (*controlPort, *httptest.Server) {
	p := &controlPort{services: map[string]*ideaService{}}
	return p, httptest.NewServer(p)
}

// ServeHTTP implements http.Handler.
func (p *controlPort) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	p.mu.Lock()
	service := p.services[host]
	p.mu.Unlock()
	if service == nil {
		hangUp(w, r)
		return
	}
	service.ServeHTTP(w, r)
}

func (p *controlPort) set(address string, s *ideaService) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s == nil {
		delete(p.services, address)
		return
	}
	p.services[address] = s
}

// hangUp ends a connection without an answer, as where nobody listens.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	if conn, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = conn.Close()
	}
}
