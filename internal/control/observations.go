package control

import (
	"crypto/sha256"
	"strings"
	"sync"
)

// Bounds of what a client remembers. Thousands of communities with some objects each fit; what does not is observed
// in full.
const (
	maxRememberedBody  = 64 << 10
	maxRememberedBytes = 24 << 20
	maxETag            = 128
)

// observation is an answer as it came, with its ETag.
type observation struct {
	etag string
	body []byte
}

// observations are the last answers, by what was asked. The zero value is ready.
type observations struct {
	mutex sync.Mutex
	known map[[sha256.Size]byte]observation
	bytes int
}

// key of what is asked. The token is part of it: the address of a community that is gone may be another's by now, who
// must not be able to pass the former's answer off as theirs.
func (r request) key() [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.Join([]string{r.address, r.token, r.path, r.query}, "\x00")))
}

func (o *observations) get(key [sha256.Size]byte) observation {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.known[key]
}

// put remembers an answer, and forgets others where there are too many.
func (o *observations) put(key [sha256.Size]byte, one observation) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if o.known == nil {
		o.known = map[[sha256.Size]byte]observation{}
	}
	o.bytes -= len(o.known[key].body)
	delete(o.known, key)
	if len(one.body) > maxRememberedBody {
		return
	}
	for other, forgotten := range o.known {
		if o.bytes+len(one.body) <= maxRememberedBytes {
			break
		}
		o.bytes -= len(forgotten.body)
		delete(o.known, other)
	}
	o.known[key] = one
	o.bytes += len(one.body)
}
