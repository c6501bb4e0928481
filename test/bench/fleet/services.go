package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/quaeso/community-operator/internal/control"
)

// services stands for the idea services of all Communities: the operator sends it every control call, and the
// Host header tells which Community's Service it would have called.
type services struct {
	listener net.Listener
	server   *http.Server

	mu sync.Mutex
	// community of each address, from the control Services' cluster addresses.
	community map[string]types.NamespacedName
	// running are the Communities whose pods run; others do not answer.
	running map[types.NamespacedName]bool
	inForce map[types.NamespacedName]control.InForce
	// challenges in force, by UID.
	challenges map[types.NamespacedName]map[string]control.KnownObject
	// observed is when the operator last asked.
	observed map[types.NamespacedName]time.Time
	// calls that came so far.
	calls int
}

func startServices() (*services, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for control calls: %w", err)
	}
	s := &services{
		listener:  listener,
		community: map[string]types.NamespacedName{},
		running:   map[types.NamespacedName]bool{},
		inForce:   map[types.NamespacedName]control.InForce{},
		observed:  map[types.NamespacedName]time.Time{},

		challenges: map[types.NamespacedName]map[string]control.KnownObject{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+control.CommunityPath, s.answering(s.observe))
	mux.HandleFunc("PUT "+control.CommunityPath, s.answering(s.declare))
	mux.HandleFunc("GET "+control.ObjectsPath, s.answering(s.list))
	mux.HandleFunc("PUT "+control.ChallengePath+"/{uid}", s.answering(s.declareChallenge))
	mux.HandleFunc("GET "+control.ChallengePath+"/{uid}", s.answering(s.observeChallenge))
	mux.HandleFunc("DELETE "+control.ChallengePath+"/{uid}", s.answering(s.withdrawChallenge))
	s.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.server.Serve(listener) }() // ends when it is closed
	return s, nil
}

func (s *services) address() string { return s.listener.Addr().String() }

func (s *services) stop() { s.server.Close() }

// answering finds out whom a call is for. A pod that does not run closes the connection, one that hangs never
// answers.
func (s *services) answering(answer func(http.ResponseWriter, *http.Request, types.NamespacedName)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		who, known := s.community[r.Host]
		running := s.running[who]
		s.observed[who] = time.Now()
		s.calls++
		s.mu.Unlock()
		switch {
		case known && strings.HasPrefix(who.Name, hanging):
			<-r.Context().Done()
		case !known || !running:
			panic(http.ErrAbortHandler)
		default:
			answer(w, r, who)
		}
	}
}

var healthyDatabase = control.Database{Ready: true, SchemaVersion: 1}

func (s *services) observe(w http.ResponseWriter, _ *http.Request, who types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	respond(w, control.State{Version: "1.0.0", InForce: s.inForce[who], Database: healthyDatabase})
}

func (s *services) declare(w http.ResponseWriter, r *http.Request, who types.NamespacedName) {
	var d control.Declaration
	if err := control.Decode(r.Body, &d); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inForce[who] = control.InForce{UID: d.UID, Generation: d.Generation, Digest: d.Settings.Digest()}
	respond(w, control.Answer{InForce: s.inForce[who], Database: healthyDatabase})
}

// list answers with an ETag, as the service does.
func (s *services) list(w http.ResponseWriter, r *http.Request, who types.NamespacedName) {
	s.mu.Lock()
	list := control.Objects{Objects: []control.KnownObject{}, Happened: 1}
	for _, uid := range slices.Sorted(maps.Keys(s.challenges[who])) {
		list.Objects = append(list.Objects, s.challenges[who][uid])
	}
	s.mu.Unlock()
	respondTagged(w, r, list)
}

func (s *services) declareChallenge(w http.ResponseWriter, r *http.Request, who types.NamespacedName) {
	var o control.Object[control.Challenge]
	if err := control.Decode(r.Body, &o); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	known := control.KnownObject{Kind: control.KindChallenge, UID: o.UID, Name: o.Name, Generation: o.Generation, Digest: o.Digest()}
	s.mu.Lock()
	if s.challenges[who] == nil {
		s.challenges[who] = map[string]control.KnownObject{}
	}
	s.challenges[who][o.UID] = known
	s.mu.Unlock()
	respond(w, control.Answer{InForce: known.InForce(), Database: healthyDatabase})
}

func (s *services) observeChallenge(w http.ResponseWriter, r *http.Request, who types.NamespacedName) {
	s.mu.Lock()
	known := s.challenges[who][r.PathValue("uid")]
	s.mu.Unlock()
	respondTagged(w, r, control.ChallengeState{InForce: known.InForce(), Phase: control.PhaseOpen, Ideas: 12, Votes: 340, Participants: 56})
}

func (s *services) withdrawChallenge(w http.ResponseWriter, r *http.Request, who types.NamespacedName) {
	s.mu.Lock()
	delete(s.challenges[who], r.PathValue("uid"))
	s.mu.Unlock()
	respond(w, control.Answer{Database: healthyDatabase})
}

// respondTagged answers with a tag, or that the caller has the state already.
func respondTagged(w http.ResponseWriter, r *http.Request, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	tag := fmt.Sprintf(`"%x"`, sha256.Sum256(raw))
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	respond(w, v)
}

// called counts the calls so far.
func (s *services) called() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

func respond(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the operator has hung up
}

// knows learns a Community's address.
func (s *services) knows(address string, who types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.community[address] = who
}

// run starts a Community's pods.
func (s *services) run(who types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[who] = true
}

// observedSince counts the Communities that the operator asked since a time.
func (s *services) observedSince(t time.Time) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for who, at := range s.observed {
		if who.Name != "" && at.After(t) {
			n++
		}
	}
	return n
}
