package mail

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"net/url"
	"strings"
	"sync"
	texttemplate "text/template"
	"time"

	"github.com/riverqueue/river"
	gomail "github.com/wneessen/go-mail"

	"github.com/quaeso/community-operator/ideas"
	"github.com/quaeso/community-operator/ideas/web/translations"
)

// Letters are what members, and their guardians, are written to about. A letter that nobody waits for any more is
// ideas.ErrNotFound.
type Letters interface {
	NoticeLetter(ctx context.Context, notice int64) (ideas.Letter, error)
	DigestLetter(ctx context.Context, member int64, before time.Time) (ideas.Letter, error)
	// ClaimLetter notes that a letter, with the notices that it tells of, is about to be handed over; false where it was.
	ClaimLetter(ctx context.Context, id string, notices []int64) (bool, error)
	// ReturnLetter takes a claim back, so that the letter is tried again.
	ReturnLetter(ctx context.Context, id string, notices []int64, mail ideas.MailMode) error
	// GuardianRecipient is whom a minor's request goes to, with a new token; name is the minor's.
	GuardianRecipient(ctx context.Context, member int64) (email, locale, name, token string, err error)
	// ErasureRecipient is who asked to be erased, with a new token to confirm it.
	ErasureRecipient(ctx context.Context, erasure int64) (to ideas.Recipient, token string, err error)
	// RetentionRecipient is a member who has still not come back.
	RetentionRecipient(ctx context.Context, member int64) (ideas.Recipient, error)
}

// Paths of the pages that letters lead to; see web.GuardianPath and its like.
type Paths struct {
	Guardian, Unsubscribe, Notices, NoticeSettings, Erasure string
}

// Postman writes letters: the workers of their jobs. A job runs on one replica at a time, and the queue takes up again what a
// dead one was working on; a letter whose notices were mailed is not written again.
type Postman struct {
	Letters  Letters
	Settings ideas.SettingsSource
	// Config returns the SMTP server in force; false means that mail is off.
	Config func() (Config, bool, error)
	Paths  Paths
}

// Register adds the workers of letters.
func (p *Postman) Register(workers *river.Workers) {
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[ideas.NoticeMail]) error {
		return p.write(ctx, fmt.Sprintf("notice-%d", job.Args.Notice), func(o *office) (*envelope, error) { return o.notice(ctx, job.Args.Notice) })
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[ideas.DigestMail]) error {
		id := fmt.Sprintf("digest-%d-%d", job.Args.Member, job.Args.Before.Unix())
		return p.write(ctx, id, func(o *office) (*envelope, error) { return o.digest(ctx, job.Args.Member, job.Args.Before) })
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[ideas.GuardianMail]) error {
		id := fmt.Sprintf("guardian-%d-%d", job.Args.Member, job.Args.Asked)
		return p.write(ctx, id, func(o *office) (*envelope, error) { return o.guardian(ctx, job.Args.Member) })
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[ideas.ErasureMail]) error {
		return p.write(ctx, fmt.Sprintf("erasure-%d", job.Args.Erasure), func(o *office) (*envelope, error) { return o.erasure(ctx, job.Args.Erasure) })
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[ideas.RetentionMail]) error {
		id := fmt.Sprintf("retention-%d-%d", job.Args.Member, job.Args.Erased.Unix())
		return p.write(ctx, id, func(o *office) (*envelope, error) { return o.retention(ctx, job.Args.Member, job.Args.Erased) })
	}))
}

// office is what a letter is written with.
type office struct {
	*Postman
	settings ideas.Settings
}

// envelope is a letter ready to be sent.
type envelope struct {
	to     string
	secret string
	letter letterContent
	// notices that the letter tells of, and how they wait for it.
	notices []int64
	mode    ideas.MailMode
}

// letterContent is what the templates show.
type letterContent struct {
	Locale, Subject, Hello string
	Lead                   []string
	Items                  []letterItem
	More                   string
	Open, Link             string
	Notes                  []string
	Why, Stop, StopText    string
	Choose, ChooseText     string
	Color                  htmltemplate.CSS
}

type letterItem struct{ Text, Detail, Link string }

var (
	//go:embed letter.txt
	letterTextSource string
	//go:embed letter.html
	letterHTMLSource string

	// Most processes of a quiet community write no letter for hours, so these are made when first needed.
	letterText = sync.OnceValue(func() *texttemplate.Template {
		return texttemplate.Must(texttemplate.New("letter.txt").Parse(letterTextSource))
	})
	letterHTML = sync.OnceValue(func() *htmltemplate.Template {
		return htmltemplate.Must(htmltemplate.New("letter.html").Parse(letterHTMLSource))
	})
	catalogs = sync.OnceValues(translations.Load)
)

// write writes a letter and sends it once, whatever becomes of the process.
func (p *Postman) write(ctx context.Context, id string, compose func(*office) (*envelope, error)) error {
	config, on, err := p.Config()
	if err != nil {
		return fmt.Errorf("read the mail settings: %w", err)
	}
	settings, declared := p.Settings.Current(ctx)
	if !on || !declared {
		return nil // nobody is written to; the notification centre has it all
	}
	e, err := compose(&office{Postman: p, settings: settings})
	if errors.Is(err, ideas.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("compose letter %s: %w", id, err)
	}
	sending, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	err = p.send(sending, config, settings, id, e)
	if errors.Is(err, ideas.ErrNotFound) || isRefusedRecipient(err) {
		// It was handed over before, or the mailbox does not exist: trying again would not help.
		return nil
	}
	return err
}

func (p *Postman) send(ctx context.Context, config Config, settings ideas.Settings, id string, e *envelope) error {
	client, err := config.client()
	if err != nil {
		return err
	}
	message, err := e.message(config, settings, id)
	if err != nil {
		return err
	}
	err = handOver(ctx, client, message, func(handedOver bool) error {
		// What is noted is noted even if the process is about to stop.
		noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendTimeout)
		defer cancel()
		if !handedOver {
			return p.Letters.ReturnLetter(noting, id, e.notices, e.mode)
		}
		claimed, err := p.Letters.ClaimLetter(noting, id, e.notices)
		if err == nil && !claimed {
			err = ideas.ErrNotFound
		}
		return err
	})
	if err != nil && !errors.Is(err, ideas.ErrNotFound) {
		return &letterError{err: err, hide: []string{e.to, strings.ToLower(e.to), e.secret}}
	}
	return err
}

// letterError keeps addresses and links out of its text, which the job queue stores.
type letterError struct {
	err  error
	hide []string
}

func (e *letterError) Error() string {
	text := "send a letter through the SMTP server: " + e.err.Error()
	for _, secret := range e.hide {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "[hidden]")
		}
	}
	return text
}

func (e *letterError) Unwrap() error { return e.err }

func (e *envelope) message(config Config, settings ideas.Settings, id string) (*gomail.Msg, error) {
	e.letter.Color = buttonColor(settings)
	var text, html bytes.Buffer
	if err := letterText().Execute(&text, e.letter); err != nil {
		return nil, fmt.Errorf("write the text of a letter: %w", err)
	}
	if err := letterHTML().Execute(&html, e.letter); err != nil {
		return nil, fmt.Errorf("write the HTML of a letter: %w", err)
	}
	m, err := newMessage(config, settings, e.letter.Locale, e.to, oneLine(e.letter.Subject))
	if err != nil {
		return nil, err
	}
	if base, err := url.Parse(settings.BaseURL); err == nil && base.Hostname() != "" {
		m.SetMessageIDWithValue(id + "@" + base.Hostname())
	}
	if e.letter.Stop != "" {
		// RFC 8058: mail programs offer a button that posts to the address, without anybody signing in.
		m.SetGenHeader(gomail.HeaderListUnsubscribe, "<"+e.letter.Stop+">")
		m.SetGenHeader(gomail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	}
	m.SetBodyString(gomail.TypeTextPlain, text.String())
	m.AddAlternativeString(gomail.TypeTextHTML, html.String())
	return m, nil
}

// words are the texts of the recipient's language, and the brand's name in it.
func (o *office) words(locale string) (c *translations.Catalog, brand string, err error) {
	all, err := catalogs()
	if err != nil {
		return nil, "", fmt.Errorf("load the texts of letters: %w", err)
	}
	tag := language(o.settings, locale)
	return all[tag], brandName(o.settings, tag), nil
}

func (o *office) url(path string) string { return o.settings.BaseURL + path }

func (o *office) tokenURL(path, token string) string { return linkURL(o.settings, path, token) }

func (o *office) items(c *translations.Catalog, notices []ideas.Notice) []letterItem {
	items := make([]letterItem, len(notices))
	for i, n := range notices {
		text, path := c.Notice(n)
		items[i] = letterItem{Text: text, Detail: c.NoticeDetail(n), Link: o.url(path)}
	}
	return items
}

// footer says why somebody is written to, and how to end it.
func (o *office) footer(content *letterContent, c *translations.Catalog, brand, token string) {
	content.Why, content.StopText, content.ChooseText = c.Text("mail.why", "Brand", brand), c.Text("mail.unsubscribe"), c.Text("mail.settings")
	content.Stop, content.Choose = o.tokenURL(o.Paths.Unsubscribe, token), o.url(o.Paths.NoticeSettings)
}

func (o *office) notice(ctx context.Context, id int64) (*envelope, error) {
	l, err := o.Letters.NoticeLetter(ctx, id)
	if err != nil {
		return nil, err
	}
	c, brand, err := o.words(l.Locale)
	if err != nil || len(l.Notices) == 0 {
		return nil, errors.Join(err, ideas.ErrNotFound)
	}
	item := o.items(c, l.Notices)[0]
	content := letterContent{
		Locale: c.Tag, Subject: item.Text, Hello: c.Text("mail.hello", "Name", l.Name), Lead: []string{item.Text}, Open: c.Text("mail.open"), Link: item.Link,
	}
	if item.Detail != "" {
		content.Lead = append(content.Lead, item.Detail)
	}
	o.footer(&content, c, brand, l.Unsubscribe)
	return &envelope{
		to: l.Email, secret: l.Unsubscribe, letter: content, notices: l.IDs, mode: ideas.MailNow,
	}, nil
}

func (o *office) digest(ctx context.Context, member int64, before time.Time) (*envelope, error) {
	l, err := o.Letters.DigestLetter(ctx, member, before)
	if err != nil {
		return nil, err
	}
	c, brand, err := o.words(l.Locale)
	if err != nil {
		return nil, err
	}
	content := letterContent{
		Locale: c.Tag, Subject: c.Text("mail.digest.subject", "Brand", brand), Hello: c.Text("mail.hello", "Name", l.Name),
		Lead: []string{c.Plural("mail.digest.lead", int64(len(l.IDs)))}, Items: o.items(c, l.Notices),
		Open: c.Text("mail.digest.open"), Link: o.url(o.Paths.Notices),
	}
	if l.More > 0 {
		content.More = c.Plural("mail.digest.more", int64(l.More))
	}
	o.footer(&content, c, brand, l.Unsubscribe)
	return &envelope{
		to: l.Email, secret: l.Unsubscribe, letter: content, notices: l.IDs, mode: ideas.MailDigest,
	}, nil
}

func (o *office) guardian(ctx context.Context, member int64) (*envelope, error) {
	email, locale, name, token, err := o.Letters.GuardianRecipient(ctx, member)
	if err != nil {
		return nil, err
	}
	c, brand, err := o.words(locale)
	if err != nil {
		return nil, err
	}
	return &envelope{to: email, secret: token, letter: letterContent{
		Locale: c.Tag, Subject: c.Text("mail.guardian.subject", "Name", name), Lead: []string{c.Text("mail.guardian.lead", "Name", name, "Brand", brand)},
		Open: c.Text("mail.guardian.open"), Link: o.tokenURL(o.Paths.Guardian, token), Notes: []string{c.Text("mail.guardian.note")},
	}}, nil
}

func (o *office) erasure(ctx context.Context, erasure int64) (*envelope, error) {
	to, token, err := o.Letters.ErasureRecipient(ctx, erasure)
	if err != nil {
		return nil, err
	}
	c, brand, err := o.words(to.Locale)
	if err != nil {
		return nil, err
	}
	return &envelope{to: to.Email, secret: token, letter: letterContent{
		Locale: c.Tag, Subject: c.Text("mail.erasure.subject", "Brand", brand), Hello: c.Text("mail.hello", "Name", to.Name),
		Lead: []string{c.Text("mail.erasure.lead")}, Open: c.Text("mail.erasure.open"), Link: o.tokenURL(o.Paths.Erasure, token),
		Notes: []string{c.Text("mail.erasure.note")},
	}}, nil
}

func (o *office) retention(ctx context.Context, member int64, erased time.Time) (*envelope, error) {
	to, err := o.Letters.RetentionRecipient(ctx, member)
	if err != nil {
		return nil, err
	}
	c, brand, err := o.words(to.Locale)
	if err != nil {
		return nil, err
	}
	return &envelope{to: to.Email, letter: letterContent{
		Locale: c.Tag, Subject: c.Text("mail.retention.subject", "Brand", brand), Hello: c.Text("mail.hello", "Name", to.Name),
		Lead: []string{c.Text("mail.retention.lead", "Date", c.Date(erased))}, Open: c.Text("mail.retention.open"), Link: o.url("/sign-in"),
	}}, nil
}

// refusal is the letter to somebody who asked for a sign-in link and may not join. It goes out in the link's place, so that
// nobody but the owner of the mailbox learns of it.
func refusal(config Config, settings ideas.Settings, to ideas.SignInMail) (*gomail.Msg, error) {
	o := &office{settings: settings}
	c, brand, err := o.words(to.Locale)
	if err != nil {
		return nil, err
	}
	e := &envelope{to: to.Email, letter: letterContent{
		Locale: c.Tag, Subject: c.Text("mail.refused.subject", "Brand", brand), Lead: []string{c.Text("mail.refused.lead", "Brand", brand)},
		Notes: []string{c.Text("mail.refused.note")},
	}}
	return e.message(config, settings, fmt.Sprintf("sign-in-%d", to.ID))
}
