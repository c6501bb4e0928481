package mail

import (
	"bytes"
	"crypto/tls"
	_ "embed"
	"fmt"
	htmltemplate "html/template"
	"net/url"
	"slices"
	"strings"
	texttemplate "text/template"
	"unicode"

	gomail "github.com/wneessen/go-mail"

	"github.com/quaeso/community-operator/ideas"
)

// wording of the sign-in mail in one language. %s is the brand's name, %d a number of minutes.
type wording struct {
	subject, hello, open, expiry, ignore string
}

var wordings = map[string]wording{
	"en": {
		subject: "Your sign-in link for %s",
		hello:   "Use this link to sign in to the %s community:",
		open:    "Sign in",
		expiry:  "The link works once, within %d minutes.",
		ignore:  "You did not ask for it? Then ignore this message: nobody signs in without the link.",
	},
	"fr": {
		subject: "Votre lien de connexion à %s",
		hello:   "Voici votre lien pour vous connecter à la communauté %s :",
		open:    "Se connecter",
		expiry:  "Le lien fonctionne une seule fois, pendant %d minutes.",
		ignore:  "Vous n’avez rien demandé ? Ignorez ce message : personne ne se connecte sans ce lien.",
	},
}

var (
	//go:embed signin.txt
	textSource string
	//go:embed signin.html
	htmlSource string

	textPart = texttemplate.Must(texttemplate.New("signin.txt").Parse(textSource))
	htmlPart = htmltemplate.Must(htmltemplate.New("signin.html").Parse(htmlSource))
)

// content is what the templates show.
type content struct {
	Locale, Subject, Hello, Open, Link, Expiry, Ignore string
	Color                                              htmltemplate.CSS
}

// compose writes the mail that carries a link.
func compose(config Config, settings ideas.Settings, mail ideas.SignInMail, link string) (*gomail.Msg, error) {
	locale := language(settings, mail.Locale)
	words, brand := wordings[locale], brandName(settings, locale)
	c := content{
		Locale: locale, Subject: fmt.Sprintf(words.subject, brand), Hello: fmt.Sprintf(words.hello, brand),
		Open: words.open, Link: link, Expiry: fmt.Sprintf(words.expiry, int(ideas.LinkLifetime.Minutes())), Ignore: words.ignore,
		Color: buttonColor(settings),
	}
	var text, html bytes.Buffer
	if err := textPart.Execute(&text, c); err != nil {
		return nil, fmt.Errorf("write the text of a mail: %w", err)
	}
	if err := htmlPart.Execute(&html, c); err != nil {
		return nil, fmt.Errorf("write the HTML of a mail: %w", err)
	}
	m, err := newMessage(config, settings, locale, mail.Email, c.Subject)
	if err != nil {
		return nil, err
	}
	m.SetBodyString(gomail.TypeTextPlain, text.String())
	m.AddAlternativeString(gomail.TypeTextHTML, html.String())
	return m, nil
}

// newMessage is a message without a body.
func newMessage(config Config, settings ideas.Settings, locale, to, subject string) (*gomail.Msg, error) {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	from := config.From
	if from.Name == "" {
		from.Name = brandName(settings, locale)
	}
	// Not FromFormat, which puts the name between quotes as it is: one with a quote of its own cannot be sent.
	if err := m.From(from.String()); err != nil {
		return nil, fmt.Errorf("set the sender: %w", err)
	}
	if err := m.To(to); err != nil {
		return nil, fmt.Errorf("set the recipient: %w", err)
	}
	m.Subject(subject)
	m.SetDate()
	m.SetMessageID()
	// Keeps holiday notices from coming back (RFC 3834).
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader(gomail.HeaderContentLang, locale)
	return m, nil
}

// language is the one asked for, if the community speaks it and so do we, else the community's own.
func language(settings ideas.Settings, wanted string) string {
	if base, _, _ := strings.Cut(wanted, "-"); slices.Contains(settings.Locales, wanted) && wordings[base].subject != "" {
		return base
	}
	for _, locale := range settings.Locales {
		if wordings[locale].subject != "" {
			return locale
		}
	}
	return "en"
}

// brandName stands in headers: whatever was declared, it is one line.
func brandName(settings ideas.Settings, locale string) string {
	name := settings.Name[locale]
	if name == "" && len(settings.Locales) > 0 {
		name = settings.Name[settings.Locales[0]]
	}
	return oneLine(name)
}

func oneLine(text string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return ' '
		}
		return r
	}, text)), " ")
}

// buttonColor is the brand's, where white text on it can be read.
func buttonColor(settings ideas.Settings) htmltemplate.CSS {
	const fallback = "#1f2937"
	var r, g, b uint8
	if n, err := fmt.Sscanf(settings.Colors.Primary, "#%02x%02x%02x", &r, &g, &b); err != nil || n != 3 {
		return fallback
	}
	// Perceived brightness (ITU-R BT.601), of 255.
	if (299*int(r)+587*int(g)+114*int(b))/1000 > 140 {
		return fallback
	}
	return htmltemplate.CSS(fmt.Sprintf("#%02x%02x%02x", r, g, b)) //nolint:gosec // made of three numbers
}

// linkURL is the address in the mail.
func linkURL(settings ideas.Settings, path, token string) string {
	return settings.BaseURL + path + "?token=" + url.QueryEscape(token)
}

func (c Config) tlsConfig() *tls.Config {
	return &tls.Config{ServerName: c.Host, RootCAs: c.RootCAs, MinVersion: tls.VersionTLS12}
}
