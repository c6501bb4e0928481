package ideas

import (
	"errors"
	"fmt"

	"github.com/quaeso/community-operator/internal/control"
)

// ErrNotFound is returned for what does not exist or may not be seen.
var ErrNotFound = errors.New("not found")

// ErrChanged is returned for a change of what somebody else has changed since it was read.
var ErrChanged = errors.New("changed since it was read")

// FieldError says what is wrong with one input. Code is a message key ("required", "too_long", "invalid");
// pages translate it.
type FieldError struct {
	Field string
	Code  string
	// Limit is the bound that was exceeded, for "too_long" and "too_many".
	Limit int
}

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Code }

// ErrUnavailable is returned while the store's database cannot be used; trying again later may help.
var ErrUnavailable = errors.New("the database is not available")

// ErrNameTaken is returned for a declaration whose name another object in force has.
var ErrNameTaken = errors.New("another object in force has the name")

// RefusedError is returned for a declaration that nothing is wrong with by itself and that cannot take the place of what is
// in force: it would change what decides a contest that is open, or it refers to what is not there.
type RefusedError struct{ Refusals []control.Refusal }

// Error implements error.
func (e *RefusedError) Error() string { return fmt.Sprintf("refused: %v", e.Refusals) }
