package cel_test

import (
	"strconv"
	"strings"
	"testing"
)

// quoted writes a string as a YAML value of plain ASCII, so that YAML folds and refuses nothing in it.
func quoted(s string) string { return strconv.QuoteToASCII(s) }

func TestHostilePlainText(t *testing.T) {
	tests := map[string]struct {
		text string
		// message of the refusal; empty when the text is harmless and must be kept as it is.
		message string
	}{
		"closing script":       {text: `</script><script>alert(1)</script>`},
		"Go template":          {text: `{{ .Secrets }}{{ printf "%s" }}`},
		"other templates":      {text: `${jndi:ldap://a} #{x} <%= 1 %> {% raw %}`},
		"quotes and semicolon": {text: `"; DROP TABLE ideas; --`},
		"backslashes":          {text: `\u0000 \n C:\temp`},
		"formula":              {text: `=HYPERLINK("http://a")`},
		"other scripts":        {text: "アトリエ · مَحَل · בית · Ελλάς"},
		"emoji of several":     {text: "👩‍👩‍👧 🏳️‍🌈"},
		"longest":              {text: strings.Repeat("é", 160)},

		"line break":         {text: "one\ntwo", message: messageOneLine},
		"carriage return":    {text: "one\rtwo", message: messageOneLine},
		"null":               {text: "one\x00two", message: messageOneLine},
		"escape":             {text: "one\x1b[31mtwo", message: messageOneLine},
		"delete":             {text: "one\x7ftwo", message: messageOneLine},
		"next line":          {text: "one\u0085two", message: messageOneLine},
		"line separator":     {text: "one\u2028two", message: messageOneLine},
		"right to left":      {text: "one\u202etwo", message: messageOneLine},
		"isolate":            {text: "one\u2066two", message: messageOneLine},
		"right-to-left mark": {text: "one\u200ftwo", message: messageOneLine},
		"Arabic letter mark": {text: "one\u061ctwo", message: messageOneLine},
		"zero-width space":   {text: "one\u200btwo", message: messageOneLine},
		"byte-order mark":    {text: "\ufeffone", message: messageOneLine},
		"too long by one":    {text: strings.Repeat("é", 161), message: "Too long: may not be more than 160 bytes"},
		"1 MB":               {text: strings.Repeat("a", 1<<20), message: "Too long: may not be more than 160 bytes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			patch := "spec: {brand: {displayName: {fr: " + quoted(test.text) + "}}}"
			object := read(t, community, patch)
			err := judge(t, object)
			if test.message == "" && err != nil {
				t.Fatalf("refused a harmless text: %v", err)
			}
			if test.message == "" {
				spec, _ := object.Object["spec"].(map[string]any)
				brand, _ := spec["brand"].(map[string]any)
				names, _ := brand["displayName"].(map[string]any)
				if names["fr"] != test.text {
					t.Errorf("the text came back as %q", names["fr"])
				}
				return
			}
			if err == nil {
				t.Fatal("accepted a hostile text")
			}
			got := causes(t, err)
			if len(got) != 1 || pathOf(got[0].Field) != "spec.brand.displayName[*]" || !strings.HasSuffix(got[0].Message, test.message) {
				t.Errorf("want %s; got %.600v", test.message, got)
			}
		})
	}
}

func TestHostileHostnames(t *testing.T) {
	tests := map[string]string{
		"*.brand.example":                      messageHostWild,
		"127.0.0.1":                            messageHostIP,
		"169.254.169.254":                      messageHostIP,
		"fe80::1":                              messageHostIP,
		"::ffff:10.0.0.1":                      messageHostForm,
		"[::1]":                                messageHostForm,
		"2130706433":                           messageHostForm,
		"0x7f000001":                           messageHostForm,
		"0x7f.0.0.1":                           messageHostForm,
		"127.1":                                messageHostForm,
		"0177.0.0.01":                          messageHostForm,
		"localhost":                            messageHostForm,
		"brand.example.":                       messageHostForm,
		"brand..example":                       messageHostForm,
		"-brand.example":                       messageHostForm,
		"brand.example:8080":                   messageHostForm,
		"brand.example/path":                   messageHostForm,
		"https://brand.example":                messageHostForm,
		"brand_x.example":                      messageHostForm,
		"brand.example\nother.example":         messageHostForm,
		"brand.example other.example":          messageHostForm,
		"brand.example`) || Host(`other":       messageHostForm,
		"bücher.example":                       messageHostForm,
		"brand\u202e.example":                  messageHostForm,
		"a.{{ .Namespace }}":                   messageHostForm,
		"kubernetes.default.svc":               messageHostInner,
		"kubernetes.default.svc.cluster.local": messageHostInner,
		"metadata.google.internal":             messageHostInner,
	}
	for hostname, message := range tests {
		t.Run(hostname, func(t *testing.T) {
			patch := "spec: {hostnames: [good.example, " + quoted(hostname) + "]}"
			check(t, judge(t, read(t, community, patch)), "spec.hostnames[1]", message)
		})
	}
}

func TestHostileURLs(t *testing.T) {
	tests := map[string]string{
		"javascript:alert(1)":                      messageWholeHTTPS,
		"JavaScript://brand.example/%0aalert(1)":   messageWholeHTTPS,
		"data:text/html,x":                         messageWholeHTTPS,
		"http://brand.example/logo.svg":            messageWholeHTTPS,
		"HTTPS://brand.example/logo.svg":           messageWholeHTTPS,
		"//brand.example/logo.svg":                 messageWholeHTTPS,
		"/logo.svg":                                messageWholeHTTPS,
		"file:///etc/passwd":                       messageWholeHTTPS,
		"https://":                                 messagePublic,
		"https:///logo.svg":                        messagePublic,
		"https://localhost/":                       messagePublic,
		"https://LOCALHOST:443/":                   messagePublic,
		"https://ideas.localhost/":                 messagePublic,
		"https://127.0.0.1/":                       messagePublic,
		"https://127.1/":                           messagePublic,
		"https://2130706433/":                      messagePublic,
		"https://0x7f000001/":                      messagePublic,
		"https://0x7f.1/":                          messagePublic,
		"https://0177.0.0.1/":                      messagePublic,
		"https://169.254.169.254/latest/meta-data": messagePublic,
		"https://10.0.0.1./":                       messagePublic,
		"https://[::1]/":                           messagePublic,
		"https://[fe80::1%25eth0]/":                messagePublic,
		"https://[::ffff:169.254.169.254]/":        messagePublic,
		"https://kubernetes/":                      messagePublic,
		"https://kubernetes.default.svc/":          messagePublic,
		"https://kubernetes.default.SVC:443/":      messagePublic,
		"https://kubernetes.default.svc./":         messagePublic,
		"https://a.b.svc.cluster.local/":           messagePublic,
		"https://metadata.google.internal/":        messagePublic,
		"https://user@brand.example/":              messagePublic,
		"https://user:password@brand.example/":     messagePublic,
		"https://brand.example:80@10.0.0.1/":       messagePublic,
		"https://brand.example:port/":              messageWholeHTTPS,
		"https://%6c%6f%63alhost/":                 "",
		"https://brand.example\\@10.0.0.1/":        "",
		"https://brand.example/a b":                messageASCII,
		"https://brand.example/\"onload=x":         messageASCII,
		"https://brand.example/<script>":           messageASCII,
		"https://brand.example/\u202egnp.exe":      messageASCII,
		"https://brand.example/é":                  messageASCII,
		"https://brand.example/{{x}}":              messageASCII,
		"https://brand.example/a\nb":               "",
		"https://bücher.example/":                  "",
	}
	for address, message := range tests {
		t.Run(address, func(t *testing.T) {
			patch := "spec: {oidc: {issuerURL: " + quoted(address) + "}}"
			err := judge(t, read(t, community, patch))
			if err == nil {
				t.Fatal("accepted a hostile address")
			}
			got := causes(t, err)
			if message == "" { // refused by several rules
				message = got[0].Message
			}
			if got[0].Field != "spec.oidc.issuerURL" || !strings.HasSuffix(got[0].Message, message) {
				t.Errorf("want %s; got %.600v", message, got)
			}
		})
	}
}
