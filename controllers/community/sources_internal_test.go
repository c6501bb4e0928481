package community

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/quaeso/community-operator/internal/control"
)

func secretOf(data map[string]string) *corev1.Secret {
	s := &corev1.Secret{Data: map[string][]byte{}}
	for k, v := range data {
		s.Data[k] = []byte(v)
	}
	return s
}

func texts(files map[string][]byte) map[string]string {
	if files == nil {
		return nil
	}
	out := map[string]string{}
	for k, v := range files {
		out[k] = string(v)
	}
	return out
}

func TestReadMail(t *testing.T) {
	tests := map[string]struct {
		data    map[string]string
		want    map[string]string
		problem string
	}{
		"the least": {
			data: map[string]string{"host": "smtp.brand.example", "from": "ideas@brand.example"},
			want: map[string]string{control.FileMailHost: "smtp.brand.example", control.FileMailFrom: "ideas@brand.example"},
		},
		"everything": {
			data: map[string]string{"host": "10.0.0.25\n", "from": "Ideas <ideas@brand.example>\r\n", "port": "465", "tls": "tls", "username": "u", "password": "p \n"},
			want: map[string]string{control.FileMailHost: "10.0.0.25", control.FileMailFrom: "Ideas <ideas@brand.example>", control.FileMailPort: "465",
				control.FileMailTLS: "tls", control.FileMailUsername: "u", control.FileMailPassword: "p "},
		},
		"keys that mean nothing":  {data: map[string]string{"host": "h.example", "from": "a@b.example", "proxy": "x"}, want: map[string]string{control.FileMailHost: "h.example", control.FileMailFrom: "a@b.example"}},
		"nothing":                 {problem: "the key host is missing"},
		"an empty host":           {data: map[string]string{"host": "\n", "from": "a@b.example"}, problem: "the key host is missing"},
		"a scheme":                {data: map[string]string{"host": "smtps://h.example", "from": "a@b.example"}, problem: "without scheme or port"},
		"host and port":           {data: map[string]string{"host": "h.example:25", "from": "a@b.example"}, problem: "without scheme or port"},
		"two hosts":               {data: map[string]string{"host": "h.example,evil.example", "from": "a@b.example"}, problem: "host name"},
		"a host with a line more": {data: map[string]string{"host": "h.example\nx", "from": "a@b.example"}, problem: "host name"},
		"no sender":               {data: map[string]string{"host": "h.example"}, problem: "the key from is missing"},
		"no address":              {data: map[string]string{"host": "h.example", "from": "ideas"}, problem: "mail address"},
		"two senders":             {data: map[string]string{"host": "h.example", "from": "a@b.example, c@d.example"}, problem: "mail address"},
		"a header more":           {data: map[string]string{"host": "h.example", "from": "a@b.example\r\nBcc: all@d.example"}, problem: "mail address"},
		"port 0":                  {data: map[string]string{"host": "h.example", "from": "a@b.example", "port": "0"}, problem: "from 1 to 65535"},
		"port 65536":              {data: map[string]string{"host": "h.example", "from": "a@b.example", "port": "65536"}, problem: "from 1 to 65535"},
		"port +25":                {data: map[string]string{"host": "h.example", "from": "a@b.example", "port": "+25"}, problem: "from 1 to 65535"},
		"port 25 and more":        {data: map[string]string{"host": "h.example", "from": "a@b.example", "port": "25 26"}, problem: "from 1 to 65535"},
		"an unknown tls":          {data: map[string]string{"host": "h.example", "from": "a@b.example", "tls": "ssl"}, problem: "starttls, tls or none"},
		"a user alone":            {data: map[string]string{"host": "h.example", "from": "a@b.example", "username": "u"}, problem: "go together"},
		"a password alone":        {data: map[string]string{"host": "h.example", "from": "a@b.example", "password": "p"}, problem: "go together"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files, problem := readMail(secretOf(test.data))
			if (test.problem == "") != (problem == "") || !strings.Contains(problem, test.problem) {
				t.Errorf("the problem is %q, want %q", problem, test.problem)
			}
			if diff := cmp.Diff(test.want, texts(files)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
		})
	}
}

// authority is a certificate as kubectl create secret takes it.
const authority = `-----BEGIN CERTIFICATE-----
MIIBtjCCAVugAwIBAgITBmyf1XSXNmY/Owua2eiedgPySjAKBggqhkjOPQQDAjA5
MQswCQYDVQQGEwJVUzEPMA0GA1UEChMGQW1hem9uMRkwFwYDVQQDExBBbWF6b24g
Um9vdCBDQSAzMB4XDTE1MDUyNjAwMDAwMFoXDTQwMDUyNjAwMDAwMFowOTELMAkG
A1UEBhMCVVMxDzANBgNVBAoTBkFtYXpvbjEZMBcGA1UEAxMQQW1hem9uIFJvb3Qg
Q0EgMzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABCmXp8ZBf8ANm+gBG1bG8lKl
ui2yEujSLtf6ycXYqm0fc4E7O5hrOXwzpcVOho6AF2hiRVd9RFgdszflZwjrZt6j
QjBAMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgGGMB0GA1UdDgQWBBSr
ttvXBp43rDCGB5Fwx5zEGbF4wDAKBggqhkjOPQQDAgNJADBGAiEA4IWSoxe3jfkr
BqWTrBqYaGFy+uGh0PsceGCmQ5nFuMQCIQCcAu/xlJyzlvnrxir4tiz+OpAUFteM
YyRIHN8wfdVoOw==
-----END CERTIFICATE-----
`

func TestReadExternalDatabase(t *testing.T) {
	const caFile = "sslmode=verify-full&sslrootcert=%2Fetc%2Fcommunity%2Fcredentials%2Fdatabase-ca.crt"
	tests := map[string]struct {
		uri, ca string
		want    string
		wantCA  bool
		problem string
	}{
		"the least":                     {uri: "postgresql://u:p@db.example.com/ideas", want: "postgresql://u:p@db.example.com/ideas?sslmode=require"},
		"the other scheme, a new line":  {uri: "postgres://u:p@db.example.com:6432/ideas\n", want: "postgresql://u:p@db.example.com:6432/ideas?sslmode=require"},
		"reserved characters":           {uri: "postgres://u%40x:p%2F%3A%3F%23@db.example.com/i%20d", want: "postgresql://u%40x:p%2F%3A%3F%23@db.example.com/i%20d?sslmode=require"},
		"an IP address":                 {uri: "postgres://u:p@192.0.2.7/ideas", want: "postgresql://u:p@192.0.2.7/ideas?sslmode=require"},
		"an IPv6 address":               {uri: "postgres://u:p@[2001:db8::7]:5432/ideas", want: "postgresql://u:p@[2001:db8::7]:5432/ideas?sslmode=require"},
		"without TLS":                   {uri: "postgres://u:p@h.example/d?sslmode=disable", want: "postgresql://u:p@h.example/d?sslmode=disable"},
		"an authority":                  {uri: "postgres://u:p@h.example/d", ca: authority, want: "postgresql://u:p@h.example/d?" + caFile, wantCA: true},
		"an authority that is not used": {uri: "postgres://u:p@h.example/d?sslmode=require", ca: authority, want: "postgresql://u:p@h.example/d?sslmode=require"},
		"the system's authorities":      {uri: "postgres://u:p@h.example/d?sslmode=verify-full", want: "postgresql://u:p@h.example/d?sslmode=verify-full"},
		"a fragment":                    {uri: "postgres://u:p@h.example/d#x", want: "postgresql://u:p@h.example/d?sslmode=require"},

		"nothing":                   {problem: "missing or empty"},
		"no authority at all":       {uri: "postgres://u:p@h.example/d", ca: "-----BEGIN NOTHING-----", problem: "ca.crt"},
		"key and value":             {uri: "host=h.example user=u dbname=d", problem: "postgresql://"},
		"another product":           {uri: "mysql://u:p@h.example/d", problem: "postgresql://"},
		"no user":                   {uri: "postgres://h.example/d", problem: "user, host and database"},
		"no host":                   {uri: "postgres://u:p@/d", problem: "user, host and database"},
		"no database":               {uri: "postgres://u:p@h.example/", problem: "user, host and database"},
		"two hosts":                 {uri: "postgres://u:p@h.example,evil.example/d", problem: "one host"},
		"two hosts with ports":      {uri: "postgres://u:p@h.example:5432,evil.example:5432/d", problem: "the key uri"},
		"a host in the query":       {uri: "postgres://u:p@h.example/d?host=evil.example", problem: "no other"},
		"a socket":                  {uri: "postgres://u:p@%2Fvar%2Frun%2Fpostgresql/d", problem: "the key uri"},
		"a socket in the query":     {uri: "postgres://u:p@h.example/d?host=/var/run/postgresql", problem: "no other"},
		"a zone":                    {uri: "postgres://u:p@[fe80::1%25eth0]/d", problem: "one host"},
		"a file for the authority":  {uri: "postgres://u:p@h.example/d?sslmode=verify-full&sslrootcert=/etc/passwd", problem: "no other"},
		"a file for a key":          {uri: "postgres://u:p@h.example/d?sslkey=/etc/passwd", problem: "no other"},
		"a password file":           {uri: "postgres://u@h.example/d?passfile=/etc/passwd", problem: "no other"},
		"a service":                 {uri: "postgres://u:p@h.example/d?service=x&servicefile=/etc/passwd", problem: "no other"},
		"server options":            {uri: "postgres://u:p@h.example/d?options=-c%20search_path%3Devil", problem: "no other"},
		"a parameter in capitals":   {uri: "postgres://u:p@h.example/d?SSLMODE=disable", problem: "no other"},
		"sslmode twice":             {uri: "postgres://u:p@h.example/d?sslmode=verify-full&sslmode=disable", problem: "no other"},
		"an odd query":              {uri: "postgres://u:p@h.example/d?sslmode=require;host=x", problem: "no other"},
		"an unknown sslmode":        {uri: "postgres://u:p@h.example/d?sslmode=maybe", problem: "unknown sslmode"},
		"two sslmodes in one":       {uri: "postgres://u:p@h.example/d?sslmode=prefer+require", problem: "unknown sslmode"},
		"in the clear if possible":  {uri: "postgres://u:p@h.example/d?sslmode=allow", problem: "unknown sslmode"},
		"port 0":                    {uri: "postgres://u:p@h.example:0/d", problem: "port from 1 to 65535"},
		"port 70000":                {uri: "postgres://u:p@h.example:70000/d", problem: "port from 1 to 65535"},
		"a folder":                  {uri: "postgres://u:p@h.example/a/b", problem: "one database"},
		"a null character":          {uri: "postgres://u:p@h.example/d%00x", problem: "one database"},
		"a new line":                {uri: "postgres://u:p@h.example/d\nx", problem: "the key uri"},
		"an open password":          {uri: "postgres://u:hunter22#x@h.example/d", problem: "the key uri"},
		"an open password, a query": {uri: "postgres://u:p@a/b?hunter22=x@h.example/d", problem: "no other"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			secret := secretOf(map[string]string{"uri": test.uri})
			if test.ca != "" {
				secret.Data["ca.crt"] = []byte(test.ca)
			}
			files, problem := readExternalDatabase(secret)
			if (test.problem == "") != (problem == "") || !strings.Contains(problem, test.problem) {
				t.Errorf("the problem is %q, want %q", problem, test.problem)
			}
			if strings.Contains(problem, "hunter22") {
				t.Errorf("the problem gives the password away: %q", problem)
			}
			if got := string(files[control.FileDatabaseURI]); got != test.want {
				t.Errorf("the URI is %q, want %q", got, test.want)
			}
			if _, got := files[control.FileDatabaseCA]; got != test.wantCA {
				t.Errorf("an authority is mounted: %t, want %t", got, test.wantCA)
			}
		})
	}
}

func TestCopyKeys(t *testing.T) {
	read := copyKeys(map[string]string{"clientID": "id", "clientSecret": "secret"})
	if files, problem := read(secretOf(map[string]string{"clientID": "a\n", "clientSecret": "b", "more": "c"})); problem != "" || string(files["id"]) != "a" || string(files["secret"]) != "b" || len(files) != 2 {
		t.Errorf("files are %v (%s)", texts(files), problem)
	}
	if files, problem := read(secretOf(map[string]string{"clientID": "a"})); files != nil || !strings.Contains(problem, "clientSecret") {
		t.Errorf("files are %v (%s)", texts(files), problem)
	}
}
