package community

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/stack"
)

// secretSource is a Secret of a user, or of the class, that credential files come from.
type secretSource struct {
	// part names the source in the community's own Secret.
	part string
	ref  types.NamespacedName
	// field of the spec that names the Secret, and wants what must be in it.
	field, wants string
	// files that the source may fill.
	files []string
	// read returns the files, or says what is wrong with the Secret.
	read func(*corev1.Secret) (files map[string][]byte, problem string)
	// try is called with new files before they are taken into use.
	try func(context.Context, DatabaseServer, map[string][]byte) error
	// pending is set for a Secret that another controller makes: what is waited for until it is there.
	pending string
}

// Kinds of what users write and communities name.
const (
	kindSecret    = "Secret"
	kindConfigMap = "ConfigMap"
)

// partOIDC is the OpenID Connect client, which the declared settings go together with.
const partOIDC = "oidc"

func secretSources(c *v1alpha1.Community, class *v1alpha1.CommunityClass, operatorNamespace string) []secretSource {
	var out []secretSource
	here := func(name string) types.NamespacedName {
		return types.NamespacedName{Namespace: c.Namespace, Name: name}
	}
	if c.Spec.Mail != nil {
		out = append(out, secretSource{
			part: "mail", ref: here(c.Spec.Mail.SecretName), field: "spec.mail.secretName",
			wants: "the keys host and from, and optionally port, tls, username and password",
			files: []string{control.FileMailHost, control.FileMailPort, control.FileMailTLS, control.FileMailFrom,
				control.FileMailUsername, control.FileMailPassword},
			read: readMail,
		})
	} else if class.Spec.Mail != nil && class.Spec.Mail.CredentialsSecretName != "" {
		out = append(out, secretSource{
			part:  "classMail",
			ref:   types.NamespacedName{Namespace: operatorNamespace, Name: class.Spec.Mail.CredentialsSecretName},
			field: "spec.mail.credentialsSecretName of the class",
			wants: "the keys username and password",
			files: []string{control.FileMailUsername, control.FileMailPassword},
			read:  copyKeys(map[string]string{"username": control.FileMailUsername, "password": control.FileMailPassword}),
		})
	}
	if c.Spec.OIDC != nil {
		out = append(out, secretSource{
			part: partOIDC, ref: here(c.Spec.OIDC.ClientSecretName), field: "spec.oidc.clientSecretName",
			wants: "the keys clientID and clientSecret",
			files: []string{control.FileOIDCClientID, control.FileOIDCClientSecret},
			read:  copyKeys(map[string]string{"clientID": control.FileOIDCClientID, "clientSecret": control.FileOIDCClientSecret}),
		})
	}
	if d := c.Spec.Database; d != nil && d.External != nil {
		out = append(out, secretSource{
			part: "database", ref: here(d.External.SecretName), field: "spec.database.external.secretName",
			wants: "the key uri, such as postgresql://user:password@host:5432/name?sslmode=verify-full, and optionally ca.crt",
			files: []string{control.FileDatabaseURI, control.FileDatabaseCA},
			read:  readExternalDatabase,
			try:   tryDatabase,
		})
	}
	return out
}

// version returns the resourceVersion of a Secret or ConfigMap as last seen by a watch, "" when none was seen.
func (r *Reconciler) version(ctx context.Context, kind string, ref types.NamespacedName) (string, error) {
	m := metadataOf(kind)
	err := r.Versions.Get(ctx, ref, m)
	if err == nil || apierrors.IsNotFound(err) {
		return m.ResourceVersion, nil
	}
	return "", fmt.Errorf("look up the version of %s %s: %w", kind, ref, err)
}

// metadataOf an object of the core group, without its content.
func metadataOf(kind string) *metav1.PartialObjectMetadata {
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind(kind))
	return m
}

func copyKeys(fileOf map[string]string) func(*corev1.Secret) (map[string][]byte, string) {
	return func(secret *corev1.Secret) (map[string][]byte, string) {
		files := map[string][]byte{}
		for key, file := range fileOf {
			value := trimNewline(secret.Data[key])
			if len(value) == 0 {
				return nil, fmt.Sprintf("the key %s is missing or empty", key)
			}
			files[file] = value
		}
		return files, ""
	}
}

var hostPattern = regexp.MustCompile(`^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?$`)

func readMail(secret *corev1.Secret) (map[string][]byte, string) {
	get := func(key string) string { return string(trimNewline(secret.Data[key])) }
	switch {
	case get("host") == "":
		return nil, "the key host is missing or empty"
	case !hostPattern.MatchString(get("host")):
		return nil, "the key host must be a host name, without scheme or port"
	case get("from") == "":
		return nil, "the key from is missing or empty"
	}
	if _, err := mail.ParseAddress(get("from")); err != nil {
		return nil, "the key from must be a mail address, such as ideas@brand.example"
	}
	if p := get("port"); p != "" && !isPort(p) {
		return nil, "the key port must be a number from 1 to 65535"
	}
	if t := get("tls"); t != "" && t != "starttls" && t != "tls" && t != "none" {
		return nil, "the key tls must be starttls, tls or none"
	}
	if (get("username") == "") != (get("password") == "") {
		return nil, "the keys username and password go together"
	}
	files := map[string][]byte{}
	for key, file := range map[string]string{
		"host": control.FileMailHost, "port": control.FileMailPort, "tls": control.FileMailTLS, "from": control.FileMailFrom,
		"username": control.FileMailUsername, "password": control.FileMailPassword,
	} {
		if v := get(key); v != "" {
			files[file] = []byte(v)
		}
	}
	return files, ""
}

// sslModes of a connection URI. "allow" is not among them: it prefers to send the password in the clear.
var sslModes = []string{"disable", "prefer", "require", "verify-ca", "verify-full"}

// readExternalDatabase takes the URI apart, so that nothing but a server, a user and a database gets through
// (libpq options could read files of the pod), and names the certificate file where there is one. What is
// wrong is said without a word of the URI: a reserved character puts a part of the password anywhere.
func readExternalDatabase(secret *corev1.Secret) (map[string][]byte, string) {
	raw := string(trimNewline(secret.Data["uri"]))
	if raw == "" {
		return nil, "the key uri is missing or empty"
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, "the key uri cannot be parsed; special characters in user and password must be percent-encoded"
	}
	if problem := checkURI(u); problem != "" {
		return nil, problem
	}
	q := url.Values{}
	mode := u.Query().Get("sslmode")
	ca := secret.Data["ca.crt"]
	switch {
	case mode == "" && len(ca) > 0:
		mode = "verify-full"
	case mode == "":
		mode = "require"
	}
	if !slices.Contains(sslModes, mode) {
		return nil, "the key uri has an unknown sslmode; use one of " + strings.Join(sslModes, ", ")
	}
	q.Set("sslmode", mode)
	files := map[string][]byte{}
	if len(ca) > 0 && strings.HasPrefix(mode, "verify") {
		if !x509.NewCertPool().AppendCertsFromPEM(ca) {
			return nil, "the key ca.crt holds no PEM certificate"
		}
		files[control.FileDatabaseCA] = ca
		q.Set("sslrootcert", stack.CredentialsMountPath+"/"+control.FileDatabaseCA)
	}
	u.Scheme, u.RawQuery, u.Fragment, u.RawFragment = "postgresql", q.Encode(), "", ""
	files[control.FileDatabaseURI] = []byte(u.String())
	return files, ""
}

func checkURI(u *url.URL) (problem string) {
	host, database := u.Hostname(), strings.Trim(u.Path, "/")
	switch {
	case u.Scheme != "postgresql" && u.Scheme != "postgres":
		return "the key uri must start with postgresql://"
	case host == "" || u.User.Username() == "" || database == "":
		return "the key uri must name user, host and database"
	case !hostPattern.MatchString(host) && net.ParseIP(host) == nil:
		return "the key uri must name one host, by its name or its IP address"
	case strings.ContainsAny(database, "/\x00"):
		return "the key uri must name one database after the host"
	}
	if port := u.Port(); port != "" && !isPort(port) {
		return "the key uri must have a port from 1 to 65535"
	}
	if q, err := url.ParseQuery(u.RawQuery); err != nil || len(q) > 1 || (len(q) == 1 && len(q["sslmode"]) != 1) {
		return "the key uri may have the parameter sslmode and no other"
	}
	return ""
}

func isPort(text string) bool {
	n, err := strconv.ParseUint(text, 10, 16)
	return err == nil && n > 0
}

func trimNewline(b []byte) []byte { return []byte(strings.TrimRight(string(b), "\r\n")) }
