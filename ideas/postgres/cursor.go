package postgres

import (
	"encoding/base64"
	"encoding/binary"
	"math"
	"time"

	"github.com/quaeso/community-operator/ideas"
)

// cursor is the position of the last idea of a page in its order: the value it was ordered by and its id. It
// stays valid when ideas come and go, and reading on from it costs the same on every page.
type cursor struct {
	order ideas.Order
	// value is supporters (top), microseconds since 1970 (newest), or the bits of trend (trending).
	value int64
	id    int64
}

// orderCodes mark a cursor with its order, since another order's value means something else.
var orderCodes = map[ideas.Order]byte{ideas.OrderTrending: 't', ideas.OrderNewest: 'n', ideas.OrderTop: 's'}

func (c cursor) encode() string {
	raw := []byte{orderCodes[c.order]}
	raw = binary.BigEndian.AppendUint64(raw, uint64(c.value)) //nolint:gosec // the bits, not the number
	raw = binary.BigEndian.AppendUint64(raw, uint64(c.id))    //nolint:gosec // the bits, not the number
	return base64.RawURLEncoding.EncodeToString(raw)
}

func decodeCursor(order ideas.Order, text string) (cursor, error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) != 17 || raw[0] != orderCodes[order] {
		return cursor{}, &ideas.FieldError{Field: "after", Code: "invalid"}
	}
	return cursor{
		order: order,
		value: int64(binary.BigEndian.Uint64(raw[1:])), //nolint:gosec // the bits, not the number
		id:    int64(binary.BigEndian.Uint64(raw[9:])), //nolint:gosec // the bits, not the number
	}, nil
}

// argument is the value as the query compares it.
func (c cursor) argument() any {
	switch c.order {
	case ideas.OrderNewest:
		return time.UnixMicro(c.value)
	case ideas.OrderTop:
		return c.value
	default:
		return math.Float64frombits(uint64(c.value)) //nolint:gosec // the bits, not the number
	}
}

// cursorOf an idea and its trend.
func cursorOf(order ideas.Order, idea ideas.Idea, trend float64) cursor {
	c := cursor{order: order, id: idea.ID}
	switch order {
	case ideas.OrderNewest:
		c.value = idea.CreatedAt.UnixMicro()
	case ideas.OrderTop:
		c.value = int64(idea.Supporters)
	default:
		c.value = int64(math.Float64bits(trend)) //nolint:gosec // the bits, not the number
	}
	return c
}
