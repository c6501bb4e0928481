package web

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/media"
)

// filePolicy is that of files of members: nothing in them runs, wherever they are opened.
const filePolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"

// uploadTimeout is how long a phone may take to send a picture.
const uploadTimeout = 2 * time.Minute

// uploads bounds how many files are held in memory at once.
const uploads = 4

type fileView struct {
	ID              int64
	URL, Name, Size string
	Alt             string
	Width, Height   int
	Picture         bool
}

func (v *visit) fileView(f ideas.Attachment) fileView {
	return fileView{
		ID: f.ID, Name: clean(f.Name), Alt: clean(f.Alt), Width: f.Width, Height: f.Height, Picture: f.Width > 0,
		Size: v.t("files.size", "Kilobytes", v.lang.catalog.Number(int64(f.Size+1023)/1024)),
		URL:  fmt.Sprintf("/files/%d/%s/%s", f.ID, hex.EncodeToString(f.Digest[:8]), url.PathEscape(f.Name)),
	}
}

// fileViews are an idea's pictures, and its other files.
func (v *visit) fileViews(list []ideas.Attachment) (pictures, others []fileView) {
	for _, f := range list {
		view := v.fileView(f)
		if view.Picture {
			pictures = append(pictures, view)
		} else {
			others = append(others, view)
		}
	}
	return pictures, others
}

type filesPage struct {
	page
	Action, Path, Heading string
	Files                 []fileView
	File, Alt             field
	// Full tells that no more fit; Draft that the idea waits to be published.
	Full, Draft bool
	Edit        string
	Limit       int
	Megabytes   int
}

func (a *app) filesPage(v *visit) (ideas.OwnIdea, filesPage, error) {
	own, err := a.ownIdea(v)
	if err == nil && !own.State.Editable() {
		err = ideas.ErrForbidden
	}
	if err != nil {
		return own, filesPage{}, err
	}
	v.here = ideaPath(own.Idea) + "/files"
	p := filesPage{
		page: v.page(v.t("files.title")), Action: v.here, Path: ideaPath(own.Idea), Edit: ideaPath(own.Idea) + "/edit", Heading: clean(own.Title),
		Full: len(own.Attachments) >= ideas.MaxAttachments, Draft: own.State == ideas.StateDraft, Limit: ideas.MaxAttachments,
		Megabytes: ideas.MaxAttachmentBytes >> 20,
	}
	p.Section, p.Hidden = "ideas", true
	pictures, others := v.fileViews(own.Attachments)
	p.Files = slices.Concat(pictures, others)
	return own, p, nil
}

// showFiles shows an author the files of an idea.
func (a *app) showFiles(v *visit) error {
	if v.member == nil {
		return v.askToSignIn(v.r.URL.RequestURI())
	}
	_, p, err := a.filesPage(v)
	if err != nil {
		return err
	}
	return v.renderPrivate(http.StatusOK, "files", p)
}

// attach adds a file. Few are read at once: each is held in memory.
func (a *app) attach(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/profile/ideas")
	}
	own, p, err := a.filesPage(v)
	if err != nil {
		return err
	}
	done, err := a.mayUpload(v.r.Context())
	if err != nil {
		return err
	}
	defer done()
	form, err := readUploads(v.w, v.r, "file")
	if err != nil {
		return err
	}
	p.Alt.Value = cleanText(form.values.Get("alt"))
	file, content, problem := v.cleanUpload(form.files["file"])
	if problem != "" {
		p.File.Error = problem
		return v.renderPrivate(http.StatusUnprocessableEntity, "files", p)
	}
	file.Idea, file.Alt = own.ID, p.Alt.Value
	_, err = a.cfg.Store.Attach(v.r.Context(), v.member.ID, file, content)
	if wrong := fieldErrors(err); len(wrong) > 0 {
		p.Alt.Error = v.fieldText(wrong["alt"])
		if wrong["file"] != nil {
			p.File.Error = v.t("files.full", "Limit", p.Limit)
		}
		return v.renderPrivate(http.StatusUnprocessableEntity, "files", p)
	}
	if err != nil {
		return fmt.Errorf("attach file: %w", err)
	}
	v.setFlash("flash.attached")
	return v.redirect(p.Action)
}

// mayUpload waits until one more request may read files; done lets the next one.
func (a *app) mayUpload(ctx context.Context) (done func(), err error) {
	select {
	case a.uploading <- struct{}{}:
		return func() { <-a.uploading }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to read a file: %w", ctx.Err())
	}
}

// upload is a file of a form as it came.
type upload struct {
	name     string
	content  []byte
	tooLarge bool
}

// cleanUpload looks at what was sent: it returns the file without anything but its picture or text, or what is wrong with
// it in the reader's language.
func (v *visit) cleanUpload(u upload) (file ideas.Attachment, content []byte, problem string) {
	key := ""
	cleaned, err := media.Clean(u.content)
	switch {
	case len(u.content) == 0:
		key = "files.none"
	case u.tooLarge:
		key = "files.too_large"
	case errors.Is(err, media.ErrPixels):
		key = "files.pixels"
	case errors.Is(err, media.ErrDamaged):
		key = "files.damaged"
	case err != nil:
		key = "files.type"
	}
	if key != "" {
		return file, nil, v.t(key, "Megabytes", ideas.MaxAttachmentBytes>>20)
	}
	file = ideas.Attachment{Name: fileName(u.name, cleaned.Type), Type: cleaned.Type, Width: cleaned.Width, Height: cleaned.Height}
	return file, cleaned.Data, ""
}

// uploadForm is what a form with files holds: its texts, and its files by the name of their input.
type uploadForm struct {
	values url.Values
	files  map[string]upload
}

// readUploads reads the form part by part: nothing is kept on disk, and nothing beyond the limits is read. inputs are those
// that take a file.
func readUploads(w http.ResponseWriter, r *http.Request, inputs ...string) (uploadForm, error) {
	f := uploadForm{url.Values{}, map[string]upload{}}
	// The server's own limit is for pages. Where the connection has none that can be changed, that one holds.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadTimeout))
	r.Body = http.MaxBytesReader(w, r.Body, int64(len(inputs))*ideas.MaxAttachmentBytes+maxForm)
	form, err := r.MultipartReader()
	if err != nil {
		return f, refuse(http.StatusBadRequest, "read a form with a file", err)
	}
	for parts := 0; ; parts++ {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err == nil && parts > maxParts {
			err = errors.New("too many parts")
		}
		if err == nil {
			err = f.read(part, slices.Contains(inputs, part.FormName()))
		}
		if status := statusOf(err); err != nil && status == http.StatusRequestEntityTooLarge {
			return f, err
		}
		if err != nil {
			return f, refuse(http.StatusBadRequest, "read a form with a file", err)
		}
	}
}

// maxParts bounds the inputs of a form with files, each option that was chosen being one.
const maxParts = 200

func (f uploadForm) read(part *multipart.Part, isFile bool) error {
	limit := int64(maxForm)
	if isFile {
		limit = ideas.MaxAttachmentBytes
	}
	content, err := io.ReadAll(io.LimitReader(part, limit+1))
	if err != nil {
		return fmt.Errorf("read part: %w", err)
	}
	name := part.FormName()
	if _, known := f.files[name]; isFile && !known && (len(content) > 0 || part.FileName() != "") {
		f.files[name] = upload{part.FileName(), content, int64(len(content)) > limit}
	}
	if !isFile {
		f.values.Add(name, string(content))
	}
	return nil
}

var extensions = map[string]string{media.PNG: ".png", media.JPEG: ".jpg", media.WebP: ".webp", media.PDF: ".pdf"}

// fileName is a name without anything that a system may read as more than a name, with the ending of what the file is.
func fileName(raw, typ string) string {
	raw = path.Base(strings.ReplaceAll(clean(raw), `\`, "/"))
	name := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), strings.ContainsRune("-_ ()", r):
			return r
		case unicode.Is(unicode.Mn, r):
			return -1
		}
		return '-'
	}, strings.TrimSuffix(raw, path.Ext(raw)))
	name = strings.Trim(cut(name, ideas.MaxFileName-10), " -")
	if name == "" {
		name = "file"
	}
	return name + extensions[typ]
}

// changeFile describes or removes a file.
func (a *app) changeFile(v *visit) error {
	if v.member == nil {
		return v.askToSignIn("/profile/ideas")
	}
	_, p, err := a.filesPage(v)
	if err != nil {
		return err
	}
	id, err := v.fileID()
	if err != nil {
		return err
	}
	if v.r.PostForm.Get("do") == "remove" {
		err = a.cfg.Store.Detach(v.r.Context(), v.member.ID, id)
	} else {
		err = a.cfg.Store.DescribeAttachment(v.r.Context(), v.member.ID, id, cut(cleanText(v.r.PostForm.Get("alt")), ideas.MaxAlt))
	}
	if err != nil {
		return fmt.Errorf("change file: %w", err)
	}
	v.setFlash("flash.saved")
	return v.redirect(p.Action)
}

func (v *visit) fileID() (int64, error) {
	id, err := strconv.ParseInt(v.r.PathValue("file"), 10, 64)
	if err != nil || id <= 0 {
		return 0, refuse(http.StatusNotFound, "read number of file", err)
	}
	return id, nil
}

// serveFile answers with a file of an idea that the viewer may see. Its address holds the digest of its content, so it
// may be kept, by this viewer alone.
func (a *app) serveFile(v *visit) error {
	id, err := v.fileID()
	if err != nil {
		return err
	}
	f, content, err := a.cfg.Store.OpenAttachment(v.r.Context(), v.viewer(), id)
	if err != nil {
		return fmt.Errorf("open file: %w", err)
	}
	if v.r.PathValue("digest") != hex.EncodeToString(f.Digest[:8]) {
		return refuse(http.StatusNotFound, "open file of another content", nil)
	}
	disposition := "inline"
	if f.Width == 0 {
		disposition = "attachment"
	}
	h := v.w.Header()
	h.Set("Content-Type", f.Type)
	h.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": f.Name}))
	h.Set("Content-Security-Policy", filePolicy)
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if v.r.Method != http.MethodHead {
		// A reader who has gone is no error of ours.
		_, _ = v.w.Write(content) //nolint:gosec // its type was looked at, and its policy lets nothing run
	}
	return nil
}
