package ideas

import (
	"strings"
	"unicode"
)

// DiffOp tells what became of a part of a text.
type DiffOp int

// What becomes of a part.
const (
	Kept DiffOp = iota
	Added
	Removed
)

// DiffPart is a part of two versions of a text.
type DiffPart struct {
	Op   DiffOp
	Text string
}

// maxDiff bounds the words that are compared: the work is their product. Beyond it, what differs is shown as a whole.
const maxDiff = 1500

// Diff compares two versions of a text word by word.
func Diff(before, after string) []DiffPart {
	a, b := diffWords(before), diffWords(after)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	var d differ
	d.add(Kept, a[:head]...)
	d.compare(a[head:len(a)-tail], b[head:len(b)-tail])
	d.add(Kept, a[len(a)-tail:]...)
	return d.parts
}

// diffWords splits a text into words and what stands between them.
func diffWords(text string) []string {
	var words []string
	start := 0
	var last bool
	for i, r := range text {
		space := unicode.IsSpace(r)
		if i > 0 && space != last {
			words, start = append(words, text[start:i]), i
		}
		last = space
	}
	if start < len(text) {
		words = append(words, text[start:])
	}
	return words
}

type differ struct{ parts []DiffPart }

func (d *differ) add(op DiffOp, words ...string) {
	text := strings.Join(words, "")
	if text == "" {
		return
	}
	if last := len(d.parts) - 1; last >= 0 && d.parts[last].Op == op {
		d.parts[last].Text += text
		return
	}
	d.parts = append(d.parts, DiffPart{op, text})
}

// compare finds the longest common subsequence.
func (d *differ) compare(a, b []string) {
	if len(a) > maxDiff || len(b) > maxDiff {
		d.add(Removed, a...)
		d.add(Added, b...)
		return
	}
	width := len(b) + 1
	common := make([]uint16, (len(a)+1)*width)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i*width+j] = common[(i+1)*width+j+1] + 1
			} else {
				common[i*width+j] = max(common[(i+1)*width+j], common[i*width+j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			d.add(Kept, a[i])
			i, j = i+1, j+1
		case common[(i+1)*width+j] >= common[i*width+j+1]:
			d.add(Removed, a[i])
			i++
		default:
			d.add(Added, b[j])
			j++
		}
	}
	d.add(Removed, a[i:]...)
	d.add(Added, b[j:]...)
}
