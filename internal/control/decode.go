package control

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// UnknownFieldError is returned for a field that this release does not know.
type UnknownFieldError struct {
	// Field is its path, "spec.ballot.colour".
	Field string
}

// Error implements error.
func (e *UnknownFieldError) Error() string { return fmt.Sprintf("unknown field %q", e.Field) }

// Decode reads one JSON value into v, refusing unknown fields, trailing data and more than
// MaxDeclarationBytes. Errors: *UnknownFieldError.
func Decode(r io.Reader, v any) error {
	raw, err := io.ReadAll(io.LimitReader(r, MaxDeclarationBytes+1))
	if err != nil {
		return fmt.Errorf("decode control message: %w", err)
	}
	if len(raw) > MaxDeclarationBytes {
		return fmt.Errorf("decode control message: more than %d bytes", MaxDeclarationBytes)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		var tree any
		if json.Unmarshal(raw, &tree) == nil {
			if field, ok := unknownField("", tree, reflect.TypeOf(v)); ok {
				return fmt.Errorf("decode control message: %w", &UnknownFieldError{Field: field})
			}
		}
		return fmt.Errorf("decode control message: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("decode control message: trailing data")
	}
	return nil
}

// unknownField is the path of the first field of a JSON value that a type does not have.
func unknownField(path string, value any, t reflect.Type) (string, bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch value := value.(type) {
	case []any:
		if t.Kind() != reflect.Slice {
			return "", false
		}
		for i, item := range value {
			if field, found := unknownField(fmt.Sprintf("%s[%d]", path, i), item, t.Elem()); found {
				return field, true
			}
		}
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return "", false
		}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			at := strings.TrimPrefix(path+"."+key, ".")
			of, known := fieldOf(t, key)
			if !known {
				return at, true
			}
			if field, found := unknownField(at, value[key], of); found {
				return field, true
			}
		}
	}
	return "", false
}

// fieldOf a struct that a key of JSON names; encoding/json does not mind the case.
func fieldOf(t reflect.Type, key string) (reflect.Type, bool) {
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if strings.EqualFold(name, key) {
			return t.Field(i).Type, true
		}
	}
	return nil, false
}
