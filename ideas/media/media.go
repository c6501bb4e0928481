// Package media looks at files that members attach: it tells what they are by their content, refuses what they may not
// be, and takes out of pictures what they tell about who took them, and where. Nothing is decoded as a whole.
package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	_ "image/jpeg" // reads the size of pictures
	_ "image/png"  // reads the size of pictures
)

// Media types that may be attached.
const (
	PNG  = "image/png"
	JPEG = "image/jpeg"
	WebP = "image/webp"
	PDF  = "application/pdf"
)

// MaxPixels bounds a picture: what browsers decode needs four bytes for each.
const MaxPixels = 50_000_000

// Errors of Clean.
var (
	// ErrType is returned for a file of another type than those that may be attached, whatever its name says.
	ErrType = errors.New("no PNG, JPEG, WebP or PDF file")
	// ErrDamaged is returned for a file that begins like one of them but cannot be read.
	ErrDamaged = errors.New("the file is damaged")
	// ErrPixels is returned for a picture that is too large to be shown.
	ErrPixels = errors.New("the picture has too many pixels")
)

// File that may be attached.
type File struct {
	// Type is one of the media types.
	Type string
	Data []byte
	// Width and Height of a picture as it is shown; 0 for others.
	Width, Height int
}

// Clean returns a file as it is kept: pictures without what their camera and their owner have written into them. It may
// use raw's memory.
func Clean(raw []byte) (File, error) {
	switch {
	case bytes.HasPrefix(raw, []byte("\x89PNG\r\n\x1a\n")):
		return cleanPNG(raw)
	case bytes.HasPrefix(raw, []byte("\xff\xd8\xff")):
		return cleanJPEG(raw)
	case len(raw) > 16 && string(raw[:4]) == "RIFF" && string(raw[8:12]) == "WEBP":
		return cleanWebP(raw)
	case bytes.HasPrefix(raw, []byte("%PDF-")):
		return File{Type: PDF, Data: raw}, nil
	}
	return File{}, ErrType
}

// sized reads a picture's size, which also shows that it can be read.
func sized(f File) (File, error) {
	config, _, err := image.DecodeConfig(bytes.NewReader(f.Data))
	if err != nil {
		return f, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	f.Width, f.Height = config.Width, config.Height
	return f, checkPixels(f)
}

func checkPixels(f File) error {
	if f.Width <= 0 || f.Height <= 0 {
		return ErrDamaged
	}
	if f.Width > MaxPixels/f.Height {
		return ErrPixels
	}
	return nil
}

// pngKept are the chunks that a picture is made of. Texts, times, and camera data are left out.
var pngKept = map[string]bool{
	"IHDR": true, "PLTE": true, "IDAT": true, "IEND": true, "tRNS": true, "cHRM": true, "gAMA": true, "iCCP": true, "sBIT": true,
	"sRGB": true, "bKGD": true, "pHYs": true, "acTL": true, "fcTL": true, "fdAT": true,
}

func cleanPNG(raw []byte) (File, error) {
	const signature = 8
	out := append(make([]byte, 0, len(raw)), raw[:signature]...)
	for rest := raw[signature:]; ; {
		if len(rest) < 12 {
			return File{}, ErrDamaged
		}
		size := int64(binary.BigEndian.Uint32(rest))
		if size+12 > int64(len(rest)) {
			return File{}, ErrDamaged
		}
		chunk := rest[:size+12]
		if crc32.ChecksumIEEE(chunk[4:size+8]) != binary.BigEndian.Uint32(chunk[size+8:]) {
			return File{}, ErrDamaged
		}
		name := string(chunk[4:8])
		if pngKept[name] {
			out = append(out, chunk...)
		}
		rest = rest[size+12:]
		if name == "IEND" {
			// Whatever follows is no part of the picture.
			return sized(File{Type: PNG, Data: out})
		}
	}
}

// JPEG markers.
const (
	markerTEM, markerSOI, markerEOI, markerSOS = 0x01, 0xd8, 0xd9, 0xda
	markerRST0, markerRST7                     = 0xd0, 0xd7
	markerAPP0, markerAPP1, markerAPP2         = 0xe0, 0xe1, 0xe2
	markerAPP14, markerAPP15, markerCOM        = 0xee, 0xef, 0xfe
)

// cleanJPEG keeps the tables and the picture, the colour profile, and of the camera's data only which side is up.
func cleanJPEG(raw []byte) (File, error) {
	out := append(make([]byte, 0, len(raw)+40), 0xff, markerSOI)
	orientation := byte(0)
	for rest := raw[2:]; ; {
		for len(rest) > 1 && rest[0] == 0xff && rest[1] == 0xff {
			rest = rest[1:] // padding
		}
		if len(rest) < 4 || rest[0] != 0xff {
			return File{}, ErrDamaged
		}
		marker := rest[1]
		if marker == markerEOI || marker == markerTEM || marker >= markerRST0 && marker <= markerRST7 {
			return File{}, ErrDamaged // the picture has not come yet
		}
		size := int(binary.BigEndian.Uint16(rest[2:])) + 2
		if size < 4 || size > len(rest) {
			return File{}, ErrDamaged
		}
		segment := rest[:size]
		if marker == markerSOS {
			out = append(out, rest...)
			break
		}
		switch {
		case marker == markerAPP1:
			if o := exifOrientation(segment[4:]); o != 0 {
				orientation = o
			}
		case marker == markerAPP0, marker == markerAPP14, marker == markerAPP2 && bytes.HasPrefix(segment[4:], []byte("ICC_PROFILE\x00")),
			marker < markerAPP0, marker > markerAPP15 && marker != markerCOM:
			out = append(out, segment...)
		}
		rest = rest[size:]
	}
	if end := bytes.LastIndex(out, []byte{0xff, markerEOI}); end >= 0 {
		out = out[:end+2] // some cameras append another picture
	}
	f, err := sized(File{Type: JPEG, Data: out})
	if err != nil || orientation <= 1 {
		return f, err
	}
	if orientation >= 5 {
		f.Width, f.Height = f.Height, f.Width
	}
	f.Data = append(append([]byte{0xff, markerSOI}, orientationSegment(orientation)...), f.Data[2:]...)
	return f, nil
}

// exifOrientation reads from 1 to 8 which side of a picture is up; 0 where nothing says so.
func exifOrientation(segment []byte) byte {
	tiff, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00"))
	if !ok || len(tiff) < 14 {
		return 0
	}
	var order binary.ByteOrder = binary.BigEndian
	if string(tiff[:2]) == "II" {
		order = binary.LittleEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 0
	}
	const entry = 12
	entries := tiff[at+2:]
	for n := order.Uint16(tiff[at:]); n > 0 && len(entries) >= entry; n-- {
		if order.Uint16(entries) == 0x0112 {
			if o := order.Uint16(entries[8:]); o >= 1 && o <= 8 {
				return byte(o)
			}
			return 0
		}
		entries = entries[entry:]
	}
	return 0
}

// orientationSegment is camera data that says nothing but which side is up.
func orientationSegment(o byte) []byte {
	return []byte{
		0xff, markerAPP1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8,
		0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, o, 0, 0, 0, 0, 0, 0,
	}
}

// cleanWebP keeps the chunks of the picture.
func cleanWebP(raw []byte) (File, error) {
	const header = 12
	f := File{Type: WebP}
	out := append(make([]byte, 0, len(raw)), raw[:header]...)
	rest := raw[header:]
	if whole := int64(binary.LittleEndian.Uint32(raw[4:])) - 4; whole >= 0 && whole < int64(len(rest)) {
		rest = rest[:whole]
	}
	for len(rest) >= 8 {
		size := int64(binary.LittleEndian.Uint32(rest[4:]))
		padded := 8 + size + size%2
		if padded > int64(len(rest)) {
			return File{}, ErrDamaged
		}
		name, chunk := string(rest[:4]), bytes.Clone(rest[:padded])
		rest = rest[padded:]
		switch name {
		case "EXIF", "XMP ":
			continue
		case "VP8X":
			if size < 10 {
				return File{}, ErrDamaged
			}
			chunk[8] &^= 0x0c // neither EXIF nor XMP
		}
		if f.Width == 0 {
			f.Width, f.Height = webPSize(name, chunk[8:])
		}
		out = append(out, chunk...)
	}
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8)) //nolint:gosec // no longer than the file was
	f.Data = out
	return f, checkPixels(f)
}

// webPSize is 0 by 0 for a chunk that does not tell.
func webPSize(name string, b []byte) (width, height int) {
	switch {
	case name == "VP8X" && len(b) >= 10:
		return 1 + uint24(b[4:]), 1 + uint24(b[7:])
	case name == "VP8 " && len(b) >= 10 && string(b[3:6]) == "\x9d\x01\x2a":
		return int(binary.LittleEndian.Uint16(b[6:]) & 0x3fff), int(binary.LittleEndian.Uint16(b[8:]) & 0x3fff)
	case name == "VP8L" && len(b) >= 5 && b[0] == 0x2f:
		bits := binary.LittleEndian.Uint32(b[1:])
		return int(bits&0x3fff) + 1, int(bits>>14&0x3fff) + 1
	}
	return 0, 0
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
