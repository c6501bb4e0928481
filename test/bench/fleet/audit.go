package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// request is one request of the operator, as the audit log has it.
type request struct {
	Verb      string `json:"verb"`
	ObjectRef struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Namespace   string `json:"namespace"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	ResponseStatus struct {
		Code int `json:"code"`
	} `json:"responseStatus"`
	Received time.Time `json:"requestReceivedTimestamp"`
}

// what names the request's kind: "patch communities/status".
func (r request) what() string {
	s := r.Verb + " " + r.ObjectRef.Resource
	if r.ObjectRef.Subresource != "" {
		s += "/" + r.ObjectRef.Subresource
	}
	return s
}

// electing tells whether the request renews or reads the leader's lease, which any operator does for ever, or
// reports who leads.
func (r request) electing() bool {
	o := r.ObjectRef
	return o.Resource == "leases" || (o.Resource == "events" && o.Namespace == operatorNamespace)
}

// starting tells whether the request belongs to the start of the operator, not to a Community.
func (r request) starting() bool {
	return r.ObjectRef.Resource == "" || (r.Verb == "list" && r.ObjectRef.Namespace == "")
}

// writing tells whether the request changes something, apart from the election of a leader. Server-side apply is a
// patch.
func (r request) writing() bool {
	return !r.electing() && slices.Contains([]string{"create", "update", "patch", "delete", "deletecollection"}, r.Verb)
}

// auditReader reads what was added to the audit log since it last read.
type auditReader struct {
	path   string
	offset int64
}

func (a *auditReader) read() ([]request, error) {
	f, err := os.Open(a.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the audit log: %w", err)
	}
	defer f.Close()
	if _, err := f.Seek(a.offset, io.SeekStart); err != nil {
		return nil, fmt.Errorf("find the place in the audit log: %w", err)
	}
	var requests []request
	lines := bufio.NewReader(f)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) { // what is left is half a line at most
			return requests, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the audit log: %w", err)
		}
		a.offset += int64(len(line))
		var r request
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("decode the audit log: %w", err)
		}
		requests = append(requests, r)
	}
}

// tally counts requests by what they did.
type tally map[string]int

func count(requests []request, keep func(request) bool) tally {
	t := tally{}
	for _, r := range requests {
		if keep(r) {
			t[r.what()]++
		}
	}
	return t
}

func (t tally) sum() int {
	sum := 0
	for _, n := range t {
		sum += n
	}
	return sum
}

// per lists the counts, the highest first, divided by n.
func (t tally) per(n int) string {
	var whats []string
	for what := range t {
		whats = append(whats, what)
	}
	slices.SortFunc(whats, func(a, b string) int {
		if t[a] != t[b] {
			return t[b] - t[a]
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, what := range whats {
		parts = append(parts, fmt.Sprintf("%s %.2f", what, float64(t[what])/float64(n)))
	}
	return strings.Join(parts, ", ")
}
