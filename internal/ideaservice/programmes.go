package ideaservice

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/quaeso/community-operator/internal/control"
)

const (
	// lookInterval is how often the programme of a community is looked at without a cause: once for all of its objects.
	lookInterval = 100 * time.Second
	// StateInterval is how often the state of an object is read although nothing has happened in its community: time alone
	// makes an answer late.
	StateInterval = 30 * time.Minute
	// retryInterval is how soon a service that did not answer is asked again, after its first failure.
	retryInterval = time.Second
	// longestRetry bounds how rarely a service that does not answer is asked.
	longestRetry = 15 * time.Second
	// lookers is how many services are asked at the same time.
	lookers = 16
)

// Lister lists what an idea service has in force.
type Lister interface {
	Objects(ctx context.Context, address, token string) (control.Objects, error)
}

// Follower is an object that follows its community's programme.
type Follower struct {
	// Kind is KindChallenge or KindRewardPolicy of control, or KindCommunity.
	Kind string
	types.NamespacedName
}

// KindCommunity is the kind of a follower that is the Community itself.
const KindCommunity = "Community"

// News names an object whose part of the programme has become another.
type News = event.TypedGenericEvent[types.NamespacedName]

// Programmes knows what each idea service has in force. It asks once in an interval for all objects of a community, and
// tells the controllers which of them stand otherwise than before: an idle fleet costs one small call per community.
type Programmes struct {
	finder   *Finder
	control  Lister
	interval time.Duration

	mu          sync.Mutex
	communities map[types.NamespacedName]*programme
	followed    map[Follower]types.NamespacedName
	news        map[string]chan News
}

// programme of one community.
type programme struct {
	// asking is held during a call, so that there is one at a time.
	asking sync.Mutex

	// What follows is guarded by Programmes.mu.

	community types.UID
	followers map[Follower]*following
	// objects by UID as they were at a moment; nil before the first time.
	objects map[string]control.KnownObject
	// happened counts what has happened in the community.
	happened int64
	// noted is when a call of ours changed an object: a list that was asked for earlier does not know of it.
	noted map[string]time.Time
	// err is that of the last call, tried when it was made; failures counts those in a row, and told is set once a
	// follower knows.
	err      error
	tried    time.Time
	failures int
	told     bool
	due      time.Time
}

// following is what a follower has seen.
type following struct {
	uid string
	// observed is when its state was last read, and happened what had happened by then.
	observed time.Time
	happened int64
}

// NewProgrammes returns an empty one. An interval of zero is the usual one.
func NewProgrammes(finder *Finder, lister Lister, interval time.Duration) *Programmes {
	if interval == 0 {
		interval = lookInterval
	}
	return &Programmes{
		finder: finder, control: lister, interval: interval,
		communities: map[types.NamespacedName]*programme{}, followed: map[Follower]types.NamespacedName{},
		news: map[string]chan News{
			control.KindChallenge: make(chan News, 1024), control.KindRewardPolicy: make(chan News, 1024),
			KindCommunity: make(chan News, 1024),
		},
	}
}

// News of objects of one kind.
func (p *Programmes) News(kind string) <-chan News { return p.news[kind] }

// Seen is what a follower's part of a programme looks like.
type Seen struct {
	// Object as the service knows it; the zero value where it does not.
	Object control.KnownObject
	// Former is the UID of an object in force that has the follower's kind and name, and another UID.
	Former string
	// Happened counts what has happened in the community; see Observed.
	Happened int64
	// StateDue tells that the object's state may have become another since it was last read.
	StateDue bool
}

// Happened is how much is known to have happened in a community; 0 before it was looked at.
func (p *Programmes) Happened(community types.NamespacedName) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.communities[community]; w != nil {
		return w.happened
	}
	return 0
}

// Follow has a Community told when more has happened in it than it knows of, or its service falls silent. It looks at
// nothing now.
func (p *Programmes) Follow(s *Service, happened int64) {
	f := Follower{Kind: KindCommunity, NamespacedName: s.Key()}
	p.follow(s, f, "")
	p.Observed(f, happened)
}

// Look returns a follower's part of the programme of its community as it was last seen. It asks the service only where
// that was never, or failed.
func (p *Programmes) Look(ctx context.Context, s *Service, f Follower, uid string) (Seen, error) {
	began := time.Now()
	w := p.follow(s, f, uid)
	if seen, err, known := p.seen(w, f, began); known {
		return seen, err
	}
	w.asking.Lock()
	defer w.asking.Unlock()
	// Somebody else may have asked meanwhile.
	if seen, err, known := p.seen(w, f, began); known {
		return seen, err
	}
	p.ask(ctx, s, w)
	seen, err, _ := p.seen(w, f, began)
	return seen, err
}

func (p *Programmes) follow(s *Service, f Follower, uid string) *programme {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := s.Key()
	w := p.communities[key]
	if w == nil || w.community != s.Community.UID {
		// A new Community of the same name may have another database.
		w = &programme{community: s.Community.UID, followers: map[Follower]*following{}, noted: map[string]time.Time{}}
		if former := p.communities[key]; former != nil {
			for other, is := range former.followers {
				w.followers[other] = &following{uid: is.uid}
			}
		}
		p.communities[key] = w
	}
	if is := w.followers[f]; is == nil || is.uid != uid {
		w.followers[f] = &following{uid: uid}
	}
	p.followed[f] = key
	return w
}

// seen returns what is known without a call; known is false where one is needed.
func (p *Programmes) seen(w *programme, f Follower, began time.Time) (_ Seen, err error, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.err != nil {
		w.told = true
		return Seen{}, w.err, w.tried.After(began.Add(-retryInterval))
	}
	if w.objects == nil {
		return Seen{}, nil, false
	}
	is := w.followers[f]
	if is == nil { // forgotten meanwhile
		is = &following{}
	}
	seen := Seen{Object: w.objects[is.uid], Happened: w.happened}
	seen.StateDue = is.observed.IsZero() || is.happened != w.happened || time.Since(is.observed) > StateInterval
	for uid, o := range w.objects {
		if uid != is.uid && o.Kind == f.Kind && o.Name == f.Name && !o.Archived {
			seen.Former = uid
		}
	}
	return seen, nil, true
}

// ask lists the objects of a service and tells followers what is new to them. The caller holds w.asking.
func (p *Programmes) ask(ctx context.Context, s *Service, w *programme) {
	asked := time.Now()
	list, err := p.control.Objects(ctx, s.Address, s.Token)
	p.mu.Lock()
	var tell []Follower
	if err != nil {
		tell = p.failed(w, err)
	} else {
		tell = p.took(w, list, asked)
	}
	p.mu.Unlock()
	for _, f := range tell {
		select {
		case <-ctx.Done():
			return
		case p.news[f.Kind] <- News{Object: f.NamespacedName}:
		}
	}
}

// failed notes a failure. Followers are told of the second in a row: one call may fail.
func (p *Programmes) failed(w *programme, err error) (tell []Follower) {
	w.failures++
	w.err, w.tried = nil, time.Now()
	if w.objects == nil || w.failures > 1 {
		w.err = err
	}
	w.due = w.tried.Add(min(retryInterval<<min(w.failures-1, 8), longestRetry))
	if errors.Is(err, control.ErrContract) {
		// A service too old to know the call learns it by an update only.
		w.due = w.tried.Add(p.interval)
	}
	if w.failures == 2 {
		tell = all(w)
	}
	return tell
}

func all(w *programme) (followers []Follower) {
	for f := range w.followers {
		followers = append(followers, f)
	}
	return followers
}

// took notes a list and returns the followers to whom it is new.
func (p *Programmes) took(w *programme, list control.Objects, asked time.Time) (tell []Follower) {
	objects := make(map[string]control.KnownObject, len(list.Objects))
	for _, o := range list.Objects {
		objects[o.UID] = o
	}
	for uid, at := range w.noted {
		if at.After(asked) {
			objects[uid] = w.objects[uid]
		} else {
			delete(w.noted, uid)
		}
	}
	for f, is := range w.followers {
		// A Community knows what it has seen itself; others have seen the list before.
		news := w.objects != nil && (objects[is.uid] != w.objects[is.uid] || w.happened != list.Happened)
		if f.Kind == KindCommunity {
			news = is.happened != list.Happened
		}
		if w.told || news {
			tell = append(tell, f)
		}
	}
	w.objects, w.happened = objects, list.Happened
	w.err, w.failures, w.told = nil, 0, false
	// Communities that came at the same time are not asked at the same time for ever.
	w.due = time.Now().Add(p.interval*9/10 + rand.N(p.interval/5)) //nolint:gosec // spreads load
	return tell
}

// Note tells what a call of ours made of an object.
func (p *Programmes) Note(s *Service, o control.KnownObject) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.communities[s.Key()]; w != nil && w.objects != nil {
		w.objects[o.UID] = o
		w.noted[o.UID] = time.Now()
	}
}

// Observed notes that a follower has read its state, at a time when so much had happened.
func (p *Programmes) Observed(f Follower, happened int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.communities[p.followed[f]]; w != nil {
		if is := w.followers[f]; is != nil {
			is.observed, is.happened = time.Now(), happened
		}
	}
}

// Forget ends the following of an object that is gone.
func (p *Programmes) Forget(f Follower) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, ok := p.followed[f]
	if !ok {
		return
	}
	delete(p.followed, f)
	w := p.communities[key]
	delete(w.followers, f)
	if len(w.followers) == 0 {
		delete(p.communities, key)
	}
}

// Hurry has the programme of a community looked at now.
func (p *Programmes) Hurry(community types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.communities[community]; w != nil {
		w.due = time.Time{}
	}
}

// Start looks at programmes until the context ends. It implements manager.Runnable.
func (p *Programmes) Start(ctx context.Context) error {
	tick := time.NewTicker(min(p.interval/10, time.Second))
	defer tick.Stop()
	slots := make(chan struct{}, lookers)
	var wait sync.WaitGroup
	defer wait.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, key := range p.dueNow() {
			select {
			case <-ctx.Done():
				return nil
			case slots <- struct{}{}:
			}
			wait.Go(func() {
				defer func() { <-slots }()
				p.poll(ctx, key)
			})
		}
	}
}

// dueNow returns the communities to look at, and puts them off.
func (p *Programmes) dueNow() (due []types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	for key, w := range p.communities {
		if now.After(w.due) {
			w.due = now.Add(p.interval)
			due = append(due, key)
		}
	}
	return due
}

// poll looks at one community. One whose service cannot be found is left to the watch on Communities.
func (p *Programmes) poll(ctx context.Context, key types.NamespacedName) {
	s, err := p.finder.Find(ctx, key)
	if err != nil {
		return
	}
	p.mu.Lock()
	w := p.communities[key]
	p.mu.Unlock()
	if w == nil || w.community != s.Community.UID || !w.asking.TryLock() {
		return
	}
	defer w.asking.Unlock()
	p.ask(ctx, s, w)
}
