package cel_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// Messages that several fields share.
const (
	messageOneLine    = "a text must be one line without control, invisible or text-direction characters"
	messageNotEmpty   = "a text must not be empty: write it, or remove its locale"
	messageLocales    = "locales are fr and en"
	messageColor      = "a colour must be written as # and six hexadecimal digits, such as #0b6e4f"
	messageWholeHTTPS = "must be a whole https address, such as https://brand.example/logo.svg"
	messagePublic     = "must name a public host, such as brand.example: not an IP address, localhost, a name inside the cluster or a user"
	messageASCII      = "must not contain spaces, quotes, angle brackets, braces, backslashes or letters outside ASCII: percent-encode them"
	messageSecretHere = "must be the name of a Secret in this namespace, without a namespace: a-z, 0-9, '-' and '.'"
	messageSecretThat = "must be the name of a Secret in the operator's namespace, without a namespace: a-z, 0-9, '-' and '.'"
	messageHostIP     = "a hostname must be a name, not an IP address"
	messageHostWild   = "a hostname must name one host; wildcards belong to the class's Gateway"
	messageHostForm   = "a hostname must be lower case, of two labels or more, the last one starting with a letter, such as ideas.brand.example"
	messageHostInner  = "a hostname must not be a name inside the cluster (.svc, .cluster.local, .internal)"
	messageStorage    = "storage must be more than 0, such as 5Gi"
	messageImage      = `must be an image reference, such as registry.example/ideas:1.0`
	messageHost       = "host must be a host name or an IPv4 address alone, such as "
	messageMap        = "characters, its key at most 317"
	messageDomain     = "apexDomain must be a lower-case domain of two labels or more, the last one starting with a letter, such as communities.example.com"
)

// rows are the hand-written judgements; rows of rules that several fields share are added by rules().
var rows = map[string]row{
	"the full Community":     {base: community},
	"the external Community": {base: communityExternal},
	"the full class":         {base: class},
	"the shared class":       {base: classShared},
	"the standalone class":   {base: classStandalone},

	"name of 40 characters":         {base: community, patch: "metadata: {name: a234567890123456789012345678901234567890}"},
	"name of one letter":            {base: community, patch: "metadata: {name: a}"},
	"name of 41 characters":         {base: community, patch: "metadata: {name: a2345678901234567890123456789012345678901}", field: "<nil>", message: messageName},
	"name that starts with a digit": {base: community, patch: "metadata: {name: 3suisses}", field: "<nil>", message: messageName},
	"name with a dot":               {base: community, patch: "metadata: {name: maison.claire}", field: "<nil>", message: messageName},

	"several hostnames":     {base: community, patch: "spec: {hostnames: [a.example, b.example, xn--bcher-kva.example]}"},
	"hostname twice":        {base: community, patch: "spec: {hostnames: [a.example, b.example, a.example]}", field: "spec.hostnames", message: "hostnames must not repeat"},
	"hostname IPv4":         {base: community, patch: `spec: {hostnames: ["192.0.2.1"]}`, field: "spec.hostnames[0]", message: messageHostIP},
	"hostname wildcard":     {base: community, patch: `spec: {hostnames: ["*.brand.example"]}`, field: "spec.hostnames[0]", message: messageHostWild},
	"hostname upper case":   {base: community, patch: `spec: {hostnames: [a.example, Ideas.Brand.example]}`, field: "spec.hostnames[1]", message: messageHostForm},
	"hostname of a Service": {base: community, patch: `spec: {hostnames: [other.default.svc]}`, field: "spec.hostnames[0]", message: messageHostInner},

	"one locale":              {base: community, patch: "spec: {brand: {locales: [en]}}"},
	"locale twice":            {base: community, patch: "spec: {brand: {locales: [fr, fr]}}", field: "spec.brand.locales", message: "locales must not repeat"},
	"locale without a name":   {base: communityExternal, patch: "spec: {brand: {locales: [fr, en]}}", field: "spec.brand.displayName", message: "displayName needs a text for each of the locales"},
	"more names than locales": {base: communityExternal, patch: "spec: {brand: {displayName: {en: Claire}, locales: [fr]}}"},

	"time zone UTC":            {base: community, patch: "spec: {brand: {timeZone: UTC}}"},
	"time zone of three parts": {base: community, patch: "spec: {brand: {timeZone: America/Argentina/Buenos_Aires}}"},
	"time zone with an offset": {base: community, patch: "spec: {brand: {timeZone: Etc/GMT+12}}"},
	"time zone as a path":      {base: community, patch: "spec: {brand: {timeZone: ../../etc/passwd}}", field: "spec.brand.timeZone", message: "timeZone must be an IANA name, such as Europe/Paris or UTC"},

	"external with storage":   {base: communityExternal, patch: "spec: {database: {storage: 1Gi}}", field: "spec.database.external", message: "storage and instances do not apply to an external database; remove them"},
	"external with instances": {base: communityExternal, patch: "spec: {database: {instances: 1}}", field: "spec.database.external", message: "storage and instances do not apply to an external database; remove them"},
	"storage of zero":         {base: community, patch: `spec: {database: {storage: "0"}}`, field: "spec.database.storage", message: messageStorage},
	"storage below zero":      {base: community, patch: `spec: {database: {storage: "-5Gi"}}`, field: "spec.database.storage", message: messageStorage},
	"storage as a number":     {base: community, patch: `spec: {database: {storage: 5368709120}}`},

	"storage grows":          {base: community, then: "spec: {database: {storage: 6Gi}}"},
	"storage in other words": {base: community, then: "spec: {database: {storage: 5120Mi}}"},
	"storage shrinks":        {base: community, then: "spec: {database: {storage: 4Gi}}", field: "spec.database.storage", message: "storage cannot shrink: volumes only grow"},

	"external from nothing":      {base: communityExternal, patch: "spec: {database: null}", then: "spec: {database: {external: {secretName: db}}}", field: "spec.database", message: messageMove},
	"external to nothing":        {base: communityExternal, then: "spec: {database: null}", field: "spec.database", message: messageMove},
	"external to storage":        {base: communityExternal, then: "spec: {database: {storage: 1Gi, external: null}}", field: "spec.database", message: messageMove},
	"external to another Secret": {base: communityExternal, then: "spec: {database: {external: {secretName: other}}}"},
	"another brand":              {base: communityExternal, then: "spec: {brand: {displayName: {fr: Claire, en: Claire}}}"},

	"no default size":       {base: class, patch: "spec: {defaultSize: null}"},
	"unknown default size":  {base: class, patch: "spec: {defaultSize: huge}", field: "spec.defaultSize", message: "defaultSize must be the name of one of the sizes"},
	"size name":             {base: classShared, patch: "spec: {sizes: [{name: Big}]}", field: "spec.sizes[0].name", message: "a size's name must use a-z, 0-9 and '-', such as small"},
	"size without replicas": {base: classShared, patch: "spec: {sizes: [{name: xl}]}"},

	"cloudNativePG without settings":         {base: class, patch: "spec: {database: {cloudNativePG: null}}"},
	"cloudNativePG settings of another kind": {base: classStandalone, patch: "spec: {database: {cloudNativePG: {}}}", field: "spec.database.cloudNativePG", message: "cloudNativePG is only for kind cloudNativePG; remove it or change kind"},
	"shared without settings":                {base: classShared, patch: "spec: {database: {shared: null}}", field: "spec.database.shared", message: "shared is required for kind shared and only for it"},
	"shared settings of another kind":        {base: class, patch: "spec: {database: {shared: {adminSecretName: a}}}", field: "spec.database.shared", message: "shared is required for kind shared and only for it"},
	"standalone without settings":            {base: classStandalone, patch: "spec: {database: {standalone: null}}", field: "spec.database.standalone", message: "standalone is required for kind standalone and only for it"},
	"standalone settings of another kind":    {base: class, patch: "spec: {database: {standalone: {image: a}}}", field: "spec.database.standalone", message: "standalone is required for kind standalone and only for it"},
	"parameter in upper case":                {base: class, patch: "spec: {database: {cloudNativePG: {parameters: {Work_Mem: 8MB}}}}", field: "spec.database.cloudNativePG.parameters", message: messageParameter},
	"parameter with a line break":            {base: class, patch: `spec: {database: {cloudNativePG: {parameters: {"work_mem\nshared_preload_libraries": 8MB}}}}`, field: "spec.database.cloudNativePG.parameters", message: messageParameter},

	"gateway without settings":       {base: class, patch: "spec: {routing: {gateway: null}}", field: "spec.routing.gateway", message: "gateway is required for kind gateway and only for it"},
	"gateway settings of an ingress": {base: classShared, patch: "spec: {routing: {gateway: {name: a, namespace: b}}}", field: "spec.routing.gateway", message: "gateway is required for kind gateway and only for it"},
	"ingress settings of a gateway":  {base: class, patch: "spec: {routing: {ingress: {}}}", field: "spec.routing.ingress", message: "ingress is only for kind ingress; remove it or change kind"},
	"ingress without settings":       {base: classShared, patch: "spec: {routing: {ingress: null}}"},
	"apex of one label":              {base: class, patch: "spec: {routing: {apexDomain: localhost}}", field: "spec.routing.apexDomain", message: messageDomain},
	"apex wildcard":                  {base: class, patch: `spec: {routing: {apexDomain: "*.example.com"}}`, field: "spec.routing.apexDomain", message: messageDomain},
	"apex IPv4":                      {base: class, patch: `spec: {routing: {apexDomain: 192.0.2.1}}`, field: "spec.routing.apexDomain", message: messageDomain},
	"apex of the local machine":      {base: class, patch: "spec: {routing: {apexDomain: community.localhost}}"},
	"certManager without an issuer":  {base: class, patch: "spec: {routing: {tls: {issuerRef: null}}}", field: "spec.routing.tls.issuerRef", message: "issuerRef is required for mode certManager"},
	"wildcard with an issuer":        {base: class, patch: "spec: {routing: {tls: {mode: wildcard}}}"},
	"wildcard without an issuer":     {base: class, patch: "spec: {routing: {tls: {mode: wildcard, issuerRef: null}}}"},

	"pull Secret of another namespace": {base: class, patch: "spec: {ideaService: {imagePullSecretNames: [good, other/secret]}}", field: "spec.ideaService.imagePullSecretNames", message: "each " + messageSecretThat},
	"sender with a name":               {base: class, patch: `spec: {mail: {from: "Ideas <ideas@example.com>"}}`, field: "spec.mail.from", message: messageFrom},
	"sender with a header":             {base: class, patch: `spec: {mail: {from: "ideas@example.com\r\nBcc: all@example.com"}}`, field: "spec.mail.from", message: messageFrom},
	"sender without a host":            {base: class, patch: `spec: {mail: {from: "ideas@"}}`, field: "spec.mail.from", message: messageFrom},
	"mail host with a port":            {base: class, patch: `spec: {mail: {host: "smtp.example.com:25"}}`, field: "spec.mail.host", message: messageHost + "smtp.example.com; the port has a field of its own"},
	"database host with a user":        {base: classShared, patch: `spec: {database: {shared: {host: "evil@db.example"}}}`, field: "spec.database.shared.host", message: messageHost + "pooler.databases.svc; the port has a field of its own"},
}

const (
	messageName      = "a Community's name must start with a letter, use a-z, 0-9 and '-', and have at most 40 characters: it becomes part of host and object names"
	messageMove      = "a community cannot move between an external database and one of its class: create a new Community and bring the data along"
	messageParameter = "a parameter is a lower-case PostgreSQL setting name with a value of at most 512 characters"
	messageFrom      = "from must be an e-mail address alone, such as ideas@example.com"
)

// rules returns every row: the hand-written ones and those of types that several fields share.
func rules() map[string]row {
	all := maps.Clone(rows)
	for _, where := range []string{"brand.displayName", "brand.tagLine", "oidc.label"} {
		base := communityExternal // without locales that a name would have to be given in
		if where == "oidc.label" {
			base = community
		}
		add(all, where, "two lines", community, where, `{fr: "one\ntwo"}`, "spec."+where+"[fr]", messageOneLine)
		add(all, where, "empty text", community, where, `{fr: "  "}`, "spec."+where, messageNotEmpty)
		add(all, where, "unknown locale", base, where, `{fr: Claire, en: null, de: Klara}`, "spec."+where, messageLocales)
		add(all, where, "accents and emoji", community, where, `{fr: "L'Été à Nîmes — 100 % «coton» 👩‍🎨 & <b>"}`, "", "")
	}
	for _, where := range []string{"primary", "accent", "background", "text"} {
		add(all, where, "colour by name", community, "brand.colors."+where, "red", "spec.brand.colors."+where, messageColor)
		add(all, where, "style injected", community, "brand.colors."+where, `"#0;}x{"`, "spec.brand.colors."+where, messageColor)
		add(all, where, "upper-case colour", community, "brand.colors."+where, `"#ABCDEF"`, "", "")
	}
	for _, where := range []string{"brand.logoURL", "oidc.issuerURL"} {
		add(all, where, "http", community, where, "http://brand.example/", "spec."+where, messageWholeHTTPS)
		add(all, where, "loopback", community, where, "https://127.0.0.1/", "spec."+where, messagePublic)
		add(all, where, "quote", community, where, `"https://brand.example/'\"onerror=1"`, "spec."+where, messageASCII)
		add(all, where, "path with an at sign", community, where, `https://brand.example/@brand/a%20b.svg#x`, "", "")
	}
	for _, where := range []string{"tls.secretName", "mail.secretName", "oidc.clientSecretName"} {
		add(all, where, "another namespace", community, where, "other/secret", "spec."+where, messageSecretHere)
		add(all, where, "dots", community, where, "brand.example-tls", "", "")
	}
	add(all, "external", "another namespace", communityExternal, "database.external.secretName", "../secret", "spec.database.external.secretName", messageSecretHere)
	add(all, "admin", "another namespace", classShared, "database.shared.adminSecretName", "other/secret", "spec.database.shared.adminSecretName", messageSecretThat)
	add(all, "mail", "another namespace", class, "mail.credentialsSecretName", "other/secret", "spec.mail.credentialsSecretName", messageSecretThat)
	for where, base := range map[string]string{"ideaService.image": class, "database.cloudNativePG.imageName": class, "database.standalone.image": classStandalone} {
		add(all, where, "image with a space", base, where, `"ideas: 1.0"`, "spec."+where, messageImage)
		add(all, where, "image with a digest", base, where, `registry.example:5000/a/b@sha256:0123abcd`, "", "")
	}
	long := strings.Repeat("x", 5000)
	for where, base := range map[string]string{"podTemplate.annotations": class, "podTemplate.nodeSelector": class, "routing.ingress.annotations": classShared} {
		limit := "a value has at most 4096 "
		if strings.HasSuffix(where, "nodeSelector") {
			limit = "a value has at most 63 "
		}
		add(all, where, "long value", base, where, "{key: "+long+"}", "spec."+where, limit+messageMap)
	}
	addQuantities(all)
	maps.Copy(all, challengeRows)
	maps.Copy(all, methodRows)
	maps.Copy(all, rewardPolicyRows)
	maps.Copy(all, houseRows)
	for where, base := range map[string]string{"form": challenge, "recruiting.questions": challenge} {
		addFormFields(all, base, where)
	}
	for where, base := range map[string]string{"survey.questions": survey, "conceptTest.questions": conceptTest, "betaTest.finalSurvey.questions": betaTest} {
		addQuestions(all, base, where)
	}
	return all
}

func addQuantities(all map[string]row) {
	for _, of := range []string{"", "database."} {
		for _, which := range []string{"requests", "limits"} {
			for _, what := range []string{"cpu must be more than 0, such as 250m", "memory must be more than 0, such as 128Mi"} {
				name, _, _ := strings.Cut(what, " ")
				where := of + "resources." + which + "." + name
				all[where+" below zero"] = row{
					base: class, patch: "spec: {defaultSize: null, sizes: [{name: s, " + nested(where, `"-1"`) + "}]}",
					field: "spec.sizes[0]." + where, message: what,
				}
			}
		}
	}
	all["size storage of zero"] = row{
		base: class, patch: `spec: {defaultSize: null, sizes: [{name: s, database: {storage: 0}}]}`,
		field: "spec.sizes[0].database.storage", message: messageStorage,
	}
}

// add adds a row that sets one field of the spec.
func add(all map[string]row, place, what, base, where, value, field, message string) {
	all[place+": "+what] = row{base: base, patch: "spec: {" + nested(where, value) + "}", field: field, message: message}
}

// nested writes a.b with a value as a: {b: value}.
func nested(path, value string) string {
	first, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return first + ": " + value
	}
	return first + ": {" + nested(rest, value) + "}"
}

func TestRules(t *testing.T) {
	for name, r := range rules() {
		t.Run(name, func(t *testing.T) {
			if r.then != "" {
				check(t, judgeChange(t, r), r.field, r.message)
				return
			}
			check(t, judge(t, read(t, r.base, r.patch)), r.field, r.message)
		})
	}
}

// index matches the elements of lists in the API server's field paths, mapKey the values of maps.
var (
	index  = regexp.MustCompile(`\[[0-9]+\]`)
	mapKey = regexp.MustCompile(`\[(fr|en|region|lead|follow-up)\]|[.](fr|en|region|lead|follow-up)(\[|$)`)
)

// TestEveryRuleHasARowThatItRefuses fails when somebody adds a rule without showing what it refuses.
func TestEveryRuleHasARowThatItRefuses(t *testing.T) {
	refused := map[string]bool{}
	for _, r := range rules() {
		refused[pathOf(r.field)+": "+r.message] = true
	}
	for kind, schema := range schemas(t) {
		walk("", schema, func(path string, node apiextensionsv1.JSONSchemaProps) {
			for _, rule := range node.XValidations {
				field := strings.TrimPrefix(path+rule.FieldPath, ".")
				if field == "" {
					field = "<nil>" // how the API server writes the object itself
				}
				if _, elsewhere := shared[rule.Message]; !elsewhere && !refused[field+": "+rule.Message] {
					t.Errorf("%s: no row is refused at %s with: %s", kind, field, rule.Message)
				}
			}
		})
	}
}
