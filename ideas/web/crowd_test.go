package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// Three hundred members vote for one idea at once over HTTP, each twice: every request is answered, and each member counts once.
func TestThreeHundredVotersAtOnce(t *testing.T) {
	const voters = 300
	c := open(t, func(c *community) { c.config.Alone = true })
	_, author := c.signedIn("Author")
	idea := c.idea(author, "A lamp", "Text")
	sessions := make([]string, voters)
	for i := range sessions {
		_, sessions[i] = c.member(fmt.Sprintf("Voter %d", i))
	}
	server := httptest.NewServer(c.pages)
	t.Cleanup(server.Close)
	client := &http.Client{
		Timeout: 2 * time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: voters},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	var wait, ready sync.WaitGroup
	start := make(chan struct{})
	form := url.Values{"support": {"true"}}.Encode()
	for _, session := range sessions {
		ready.Add(1)
		wait.Go(func() {
			ready.Done()
			<-start
			for range 2 {
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, fmt.Sprintf("%s/ideas/%d/support", server.URL, idea.ID), strings.NewReader(form))
				if err != nil {
					t.Error(err)
					return
				}
				request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				request.Header.Set("Cookie", "__Host-session="+session)
				response, err := client.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusSeeOther || strings.HasPrefix(response.Header.Get("Location"), "/sign-in") {
					t.Errorf("a vote is answered %d to %s: %v", response.StatusCode, response.Header.Get("Location"), err)
				}
			}
		})
	}
	ready.Wait()
	close(start)
	wait.Wait()
	for what, query := range map[string]string{
		"the idea's counter":      fmt.Sprintf("SELECT supporters FROM ideas.tally WHERE idea_id = %d", idea.ID),
		"votes":                   "SELECT count(*) FROM ideas.support",
		"the community's total":   "SELECT sum(n)::bigint FROM ideas.total WHERE kind = 'votes'",
		"events of votes":         "SELECT count(*) FROM ideas.event WHERE kind = 'idea.supported'",
		"members who are counted": "SELECT count(DISTINCT member_id) FROM ideas.support",
	} {
		if got := c.db.QueryInt(t, query); got != voters {
			t.Errorf("%s: %d, want %d", what, got, voters)
		}
	}
}
