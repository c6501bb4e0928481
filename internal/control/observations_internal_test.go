package control

import (
	"strings"
	"testing"
)

// However much services answer, little is remembered.
func TestObservationsAreBounded(t *testing.T) {
	var o observations
	body := []byte(strings.Repeat("x", maxRememberedBody))
	n := 3 * maxRememberedBytes / maxRememberedBody
	for i := range n {
		o.put(request{path: string(rune(i + 1))}.key(), observation{etag: "e", body: body})
		o.put(request{path: string(rune(i + 1))}.key(), observation{etag: "f", body: body})
	}
	total := 0
	for _, one := range o.known {
		total += len(one.body)
	}
	if total != o.bytes || total > maxRememberedBytes || total < maxRememberedBytes-maxRememberedBody {
		t.Errorf("%d bytes are remembered and %d counted, want just under %d", total, o.bytes, maxRememberedBytes)
	}
	if last := o.get(request{path: string(rune(n))}.key()); last.etag != "f" {
		t.Errorf("the last observation is %q", last.etag)
	}
	o.put(request{path: "large"}.key(), observation{etag: "e", body: append(body, 'x')})
	if o.get(request{path: "large"}.key()).etag != "" {
		t.Error("an answer that is too large is remembered")
	}
}
