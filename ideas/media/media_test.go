package media_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"

	"github.com/quaeso/community-operator/ideas/media"
)

// secret stands for where somebody lives.
const secret = "48.8584 N 2.2945 E"

func picture(width, height int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		m.Set(x, height/2, color.RGBA{uint8(x), 100, 50, 255})
	}
	return m
}

func pngFile(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture(width, height)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegFile(t testing.TB, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(width, height), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// insert puts bytes into a file.
func insert(file []byte, at int, what []byte) []byte {
	return append(append(bytes.Clone(file[:at]), what...), file[at:]...)
}

func pngChunk(name, content string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(content)))
	b = append(append(b, name...), content...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func jpegSegment(marker byte, content string) []byte {
	b := []byte{0xff, marker}
	return append(binary.BigEndian.AppendUint16(b, uint16(len(content)+2)), content...)
}

func riff(chunks ...string) []byte {
	var body []byte
	for i := 0; i < len(chunks); i += 2 {
		body = append(body, chunks[i]...)
		body = binary.LittleEndian.AppendUint32(body, uint32(len(chunks[i+1])))
		body = append(body, chunks[i+1]...)
		if len(chunks[i+1])%2 == 1 {
			body = append(body, 0)
		}
	}
	return append(append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body)+4)), "WEBP"...), body...)
}

const lossless = "\x2f\x1f\xc0\x07\x00picture" // 32 by 32

func TestClean(t *testing.T) {
	exif := "Exif\x00\x00II\x2a\x00\x08\x00\x00\x00\x02\x00" +
		"\x0f\x01\x02\x00\x04\x00\x00\x00Cam\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00" + secret
	jpegWithExif := insert(jpegFile(t, 40, 20), 2, jpegSegment(0xe1, exif))
	for name, tc := range map[string]struct {
		raw           []byte
		err           error
		typ           string
		width, height int
	}{
		"PNG":                        {raw: pngFile(t, 30, 10), typ: media.PNG, width: 30, height: 10},
		"PNG with a text":            {raw: insert(pngFile(t, 30, 10), 33, pngChunk("tEXt", "Place\x00"+secret)), typ: media.PNG, width: 30, height: 10},
		"PNG with camera data":       {raw: insert(pngFile(t, 30, 10), 33, pngChunk("eXIf", secret)), typ: media.PNG, width: 30, height: 10},
		"PNG with a tail":            {raw: append(pngFile(t, 30, 10), "<script>"+secret...), typ: media.PNG, width: 30, height: 10},
		"PNG cut short":              {raw: pngFile(t, 30, 10)[:60], err: media.ErrDamaged},
		"PNG with a wrong sum":       {raw: insert(pngFile(t, 30, 10), 33, append(pngChunk("tEXt", "x")[:12], 0)), err: media.ErrDamaged},
		"JPEG":                       {raw: jpegFile(t, 40, 20), typ: media.JPEG, width: 40, height: 20},
		"JPEG turned by a camera":    {raw: jpegWithExif, typ: media.JPEG, width: 20, height: 40},
		"JPEG with a comment":        {raw: insert(jpegFile(t, 40, 20), 2, jpegSegment(0xfe, secret)), typ: media.JPEG, width: 40, height: 20},
		"JPEG with XMP":              {raw: insert(jpegFile(t, 40, 20), 2, jpegSegment(0xe1, "http://ns.adobe.com/xap/1.0/\x00"+secret)), typ: media.JPEG, width: 40, height: 20},
		"JPEG with a tail":           {raw: append(jpegFile(t, 40, 20), secret...), typ: media.JPEG, width: 40, height: 20},
		"JPEG cut short":             {raw: jpegFile(t, 40, 20)[:20], err: media.ErrDamaged},
		"JPEG of nothing":            {raw: []byte("\xff\xd8\xff\xd9"), err: media.ErrDamaged},
		"WebP":                       {raw: riff("VP8L", lossless), typ: media.WebP, width: 32, height: 32},
		"WebP with camera data":      {raw: riff("VP8X", "\x0c\x00\x00\x00\x1f\x00\x00\x1f\x00\x00", "VP8L", lossless, "EXIF", secret, "XMP ", secret), typ: media.WebP, width: 32, height: 32},
		"WebP with a tail":           {raw: append(riff("VP8L", lossless), secret...), typ: media.WebP, width: 32, height: 32},
		"WebP without a picture":     {raw: riff("ICCP", "profile"), err: media.ErrDamaged},
		"WebP cut short":             {raw: riff("VP8L", lossless)[:24], err: media.ErrDamaged},
		"WebP as large as a stadium": {raw: riff("VP8X", "\x00\x00\x00\x00\xff\xff\x00\xff\xff\x00", "VP8L", lossless), err: media.ErrPixels},
		"PDF":                        {raw: []byte("%PDF-1.7\nhello"), typ: media.PDF},
		"HTML":                       {raw: []byte("<!doctype html><script>alert(1)</script>"), err: media.ErrType},
		"SVG":                        {raw: []byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), err: media.ErrType},
		"GIF":                        {raw: []byte("GIF89a\x01\x00\x01\x00"), err: media.ErrType},
		"zip":                        {raw: []byte("PK\x03\x04"), err: media.ErrType},
		"nothing":                    {err: media.ErrType},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := media.Clean(tc.raw)
			if !errors.Is(err, tc.err) {
				t.Fatalf("error %v, want %v", err, tc.err)
			}
			if err != nil {
				return
			}
			if f.Type != tc.typ || f.Width != tc.width || f.Height != tc.height {
				t.Errorf("%s of %d by %d, want %s of %d by %d", f.Type, f.Width, f.Height, tc.typ, tc.width, tc.height)
			}
			if bytes.Contains(f.Data, []byte(secret)) {
				t.Error("the file still tells where it was taken")
			}
			if tc.typ == media.PNG || tc.typ == media.JPEG {
				if _, _, err := image.Decode(bytes.NewReader(f.Data)); err != nil {
					t.Errorf("the picture cannot be shown any more: %v", err)
				}
			}
			again, err := media.Clean(f.Data)
			if err != nil || !bytes.Equal(again.Data, f.Data) || again.Width != f.Width {
				t.Errorf("cleaned twice it is another: %v", err)
			}
		})
	}
}

func FuzzClean(f *testing.F) {
	f.Add(pngFile(f, 3, 3))
	f.Add(jpegFile(f, 3, 3))
	f.Add(insert(jpegFile(f, 40, 20), 2, jpegSegment(0xe1, "Exif\x00\x00MM\x00\x2a\xff\xff\xff\xff")))
	f.Add(riff("VP8X", "\x0c\x00\x00\x00\x1f\x00\x00\x1f\x00\x00", "VP8L", lossless))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if f, err := media.Clean(raw); err == nil && f.Type == "" {
			t.Error("a file without a type")
		}
	})
}
