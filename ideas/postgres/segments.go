package postgres

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/internal/control"
)

const (
	// countSegmentsEvery is how old a count of segments may be: members change what they say of themselves.
	countSegmentsEvery = time.Hour
	// segmentsWait is how long an observation waits for a count; then it tells the former.
	segmentsWait = time.Second
	// segmentsTimeout bounds a count.
	segmentsTimeout = 30 * time.Second
)

// segmentCounts remembers how many participants the segments of quotas have, by challenge, 0 for the community. A count
// reads every participant, so it is made again only once their number has changed by a hundredth, or after an hour.
type segmentCounts struct {
	mutex sync.Mutex
	known map[int64]*segmentCount
}

type segmentCount struct {
	quotas       []control.Quota
	size         int64
	at           time.Time
	participants map[ideas.QuotaSegment]int64
	// counting is closed when a count under way is done; nil for none.
	counting chan struct{}
}

func (c *segmentCount) fits(quotas []control.Quota, size int64) bool {
	changed := max(size-c.size, c.size-size)
	return slices.Equal(c.quotas, quotas) && changed*100 <= c.size && time.Since(c.at) < countSegmentsEvery
}

// representativeness of the participants of a challenge, 0 for the community; nil where it is not known. size grows with
// what they do.
func (s *Store) representativeness(ctx context.Context, challenge int64, quotas []control.Quota, size int64) *control.Representativeness {
	if len(quotas) == 0 || size == 0 {
		return nil
	}
	counting := s.countSegments(challenge, quotas, size)
	if counting != nil {
		timer := time.NewTimer(segmentsWait)
		defer timer.Stop()
		select {
		case <-counting:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	s.segments.mutex.Lock()
	defer s.segments.mutex.Unlock()
	count := s.segments.known[challenge]
	furthest, ok := ideas.FurthestShare(ideas.Shares(count.quotas, count.participants))
	if !ok {
		return nil
	}
	percent := func(share float64) int { return int(math.Round(share * 100)) }
	return &control.Representativeness{
		Attribute: furthest.Attribute, Value: furthest.Value, ActualPercent: percent(furthest.Actual), QuotaPercent: percent(furthest.Quota),
		GapPercent: percent(math.Abs(furthest.Actual - furthest.Quota)),
	}
}

// countSegments begins a count where one is due; nil where none is.
func (s *Store) countSegments(challenge int64, quotas []control.Quota, size int64) <-chan struct{} {
	s.segments.mutex.Lock()
	defer s.segments.mutex.Unlock()
	if s.segments.known == nil {
		s.segments.known = map[int64]*segmentCount{}
	}
	count := s.segments.known[challenge]
	if count == nil {
		count = &segmentCount{}
		s.segments.known[challenge] = count
	}
	if count.counting != nil || count.fits(quotas, size) {
		return count.counting
	}
	done := make(chan struct{})
	count.counting = done
	go func() {
		defer close(done)
		// Whoever asked may be gone by then; the next one wants the answer as well.
		ctx, cancel := context.WithTimeout(context.Background(), segmentsTimeout)
		defer cancel()
		participants, err := s.readSegments(ctx, challenge, quotas)
		s.segments.mutex.Lock()
		defer s.segments.mutex.Unlock()
		count.counting = nil
		if err != nil {
			s.log.Warn("segments not counted", "challenge", challenge, "error", err)
			return
		}
		count.quotas, count.size, count.at, count.participants = quotas, size, time.Now(), participants
	}()
	return done
}

// Participants are counted by segment: of a challenge those who submitted or voted, of the community those who
// contributed in any way. $1 is the attribute and $2 the value.
const (
	communitySegment = `SELECT count(*) AS n FROM attribute t WHERE t.name = $1 AND t.value = $2
		AND (EXISTS (SELECT FROM support s WHERE s.member_id = t.member_id) OR EXISTS (SELECT FROM idea i WHERE i.author_id = t.member_id AND i.visible)
		OR EXISTS (SELECT FROM comment c WHERE c.author_id = t.member_id AND c.visible))`
	challengeSegment = `SELECT count(*) AS n FROM attribute t JOIN participant p ON p.member_id = t.member_id AND p.challenge_id = $3
		WHERE t.name = $1 AND t.value = $2`
)

func (s *Store) readSegments(ctx context.Context, challenge int64, quotas []control.Quota) (map[ideas.QuotaSegment]int64, error) {
	pool, err := s.db()
	if err != nil {
		return nil, err
	}
	participants := map[ideas.QuotaSegment]int64{}
	for _, q := range quotas {
		query, args := communitySegment, []any{q.Attribute, q.Value}
		if challenge != 0 {
			query, args = challengeSegment, append(args, challenge)
		}
		var n int64
		if err := pool.QueryRow(ctx, query, args...).Scan(&n); err != nil {
			return nil, fmt.Errorf("count segment %s=%s: %w", q.Attribute, q.Value, err)
		}
		participants[ideas.QuotaSegment{Attribute: q.Attribute, Value: q.Value}] = n
	}
	return participants, nil
}
