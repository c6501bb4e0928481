package community

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/quaeso/community-operator/api/v1alpha1"
	"github.com/quaeso/community-operator/internal/conditions"
	"github.com/quaeso/community-operator/internal/control"
	"github.com/quaeso/community-operator/internal/stack"
)

// gathering collects the credential files of one community. Files of a Secret that did not change since it
// was last read are taken from the community's own Secret, so that a steady state reads no Secret of users.
type gathering struct {
	files map[string][]byte
	// have are the files in force; empty before the first time.
	have map[string][]byte
	// sources tells, for each part, which Secret at which version its files came from.
	sources map[string]string
	before  map[string]string
	key     []byte
}

// gatherCredentials collects what the idea service's pods read from files. A Secret that is missing or
// incomplete is reported, and the part that it feeds stays as it was last good.
func (r *Reconciler) gatherCredentials(ctx context.Context, s *scope) error {
	pullErr := r.gatherPullSecret(ctx, s)
	g, err := r.startGathering(ctx, s)
	if err != nil {
		return err
	}
	var errs []error
	for _, src := range secretSources(s.community, s.class, r.OperatorNamespace) {
		err := r.gatherFrom(ctx, s, g, src)
		if src.part == partOIDC {
			s.oidcErr = err
		}
		errs = append(errs, err)
	}
	g.addClassMail(s.community, s.class)
	errs = append(errs, r.gatherDatabase(ctx, s, g), pullErr)
	if len(g.files[control.FileDatabaseURI]) > 0 {
		s.plan.Credentials, err = g.credentials()
		errs = append(errs, err)
	}
	s.controlToken = string(g.files[control.FileControlToken])
	return firstError(errs...)
}

func (r *Reconciler) startGathering(ctx context.Context, s *scope) (*gathering, error) {
	own, err := r.ownSecret(ctx, s, stack.CredentialsName(s.community.Name))
	if err != nil {
		return nil, err
	}
	g := &gathering{files: map[string][]byte{}, have: map[string][]byte{}, sources: map[string]string{}, before: map[string]string{}}
	if own != nil {
		g.have = own.Data
		// An annotation that cannot be read only means that every Secret is read again.
		_ = json.Unmarshal([]byte(own.Annotations[v1alpha1.AnnotationSources]), &g.before)
	}
	token := g.have[control.FileControlToken]
	if len(token) == 0 {
		token = []byte(randomPassword())
	}
	g.files[control.FileControlToken] = token
	g.key = token
	return g, nil
}

// ownSecret returns one of the community's own Secrets, nil when there is none. It asks the API server before
// it says none, since the caller then makes a new password.
func (r *Reconciler) ownSecret(ctx context.Context, s *scope, name string) (*corev1.Secret, error) {
	secret := &corev1.Secret{}
	key := types.NamespacedName{Namespace: s.community.Namespace, Name: name}
	err := r.Get(ctx, key, secret)
	if apierrors.IsNotFound(err) {
		err = r.Live.Get(ctx, key, secret)
	}
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get Secret %s: %w", name, err)
	}
	if err := r.applier.Guard(s.owner, "Secret", secret); err != nil {
		return nil, err
	}
	return secret, nil
}

// gatherFrom reads one Secret of a user or of the class, unless it is unchanged.
func (r *Reconciler) gatherFrom(ctx context.Context, s *scope, g *gathering, src secretSource) error {
	version, err := r.version(ctx, kindSecret, src.ref)
	if err != nil {
		return err
	}
	if version != "" && g.keep(src, version) {
		return nil
	}
	files, err := r.readSource(ctx, src)
	if err != nil {
		g.keepLastGood(src)
		var refused *refusedDatabase
		if errors.As(err, &refused) {
			s.databaseErr = refused.err
			return nil
		}
		return err
	}
	maps.Copy(g.files, files)
	g.sources[src.part] = g.mark(src, version)
	return nil
}

func (r *Reconciler) readSource(ctx context.Context, src secretSource) (map[string][]byte, error) {
	secret := &corev1.Secret{}
	err := r.Live.Get(ctx, src.ref, secret)
	if apierrors.IsNotFound(err) && src.pending != "" {
		return nil, conditions.Wait(0, v1alpha1.ReasonProgressing, "%s", src.pending)
	}
	if apierrors.IsNotFound(err) {
		return nil, conditions.Stall(v1alpha1.ReasonSecretNotFound,
			"%s names the Secret %s, which does not exist; create it with %s", src.field, src.ref, src.wants)
	}
	if err != nil {
		return nil, fmt.Errorf("get the Secret of %s: %w", src.field, err)
	}
	files, problem := src.read(secret)
	if problem != "" {
		return nil, conditions.Stall(v1alpha1.ReasonSecretIncomplete,
			"Secret %s, named by %s: %s; it needs %s", src.ref, src.field, problem, src.wants)
	}
	if src.try == nil {
		return files, nil
	}
	return files, src.try(ctx, r.Databases, files)
}

// keep takes over the files in force when their Secret has not changed.
func (g *gathering) keep(src secretSource, version string) bool {
	files := g.inForce(src)
	for name, content := range files {
		g.files[name] = content
	}
	mark := g.mark(src, version)
	if g.before[src.part] != mark {
		for name := range files {
			delete(g.files, name)
		}
		return false
	}
	g.sources[src.part] = mark
	return true
}

// keepLastGood takes over the files in force without their mark, so that the Secret is read again next time.
func (g *gathering) keepLastGood(src secretSource) {
	maps.Copy(g.files, g.inForce(src))
}

func (g *gathering) inForce(src secretSource) map[string][]byte {
	files := map[string][]byte{}
	for _, name := range src.files {
		if content, ok := g.have[name]; ok {
			files[name] = content
		}
	}
	return files
}

// mark names a version of a source and the files that came from it, so that neither a changed Secret nor
// files changed by hand go unnoticed. The files' digest is keyed, because annotations are no secret.
func (g *gathering) mark(src secretSource, version string) string {
	subset := map[string][]byte{}
	for _, name := range src.files {
		if content, ok := g.files[name]; ok {
			subset[name] = content
		}
	}
	return src.ref.String() + "@" + version + "#" + g.digest(subset)
}

func (g *gathering) digest(files map[string][]byte) string {
	mac := hmac.New(sha256.New, g.key)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(mac, "%s %d ", name, len(files[name]))
		mac.Write(files[name])
	}
	return hex.EncodeToString(mac.Sum(nil)[:8])
}

// addClassMail adds the class's SMTP server where the community brings none of its own.
func (g *gathering) addClassMail(c *v1alpha1.Community, class *v1alpha1.CommunityClass) {
	mail := class.Spec.Mail
	if c.Spec.Mail != nil || mail == nil {
		return
	}
	g.files[control.FileMailHost] = []byte(mail.Host)
	g.files[control.FileMailFrom] = []byte(mail.From)
	if mail.Port != nil {
		g.files[control.FileMailPort] = []byte(strconv.Itoa(int(*mail.Port)))
	}
	if mail.TLS != "" {
		g.files[control.FileMailTLS] = []byte(mail.TLS)
	}
}

func (g *gathering) credentials() (*stack.Credentials, error) {
	sources, err := json.Marshal(g.sources)
	if err != nil {
		return nil, fmt.Errorf("marshal the sources of credentials: %w", err)
	}
	c := &stack.Credentials{Files: g.files, Hash: g.digest(g.files), Sources: string(sources), DatabasePort: stack.PortPostgres}
	uri, err := url.Parse(string(g.files[control.FileDatabaseURI]))
	if err != nil {
		return nil, errors.New("the database URI in force cannot be parsed")
	}
	if port, err := strconv.ParseInt(uri.Port(), 10, 32); err == nil {
		c.DatabasePort = int32(port)
	}
	if len(g.files[control.FileMailHost]) > 0 {
		c.SMTPPort = 587
		if port, err := strconv.ParseInt(string(g.files[control.FileMailPort]), 10, 32); err == nil {
			c.SMTPPort = int32(port)
		}
	}
	return c, nil
}

// randomPassword has 192 bits, in characters that need no quoting anywhere.
func randomPassword() string {
	raw := make([]byte, 24)
	rand.Read(raw) // never fails, see its documentation
	return base64.RawURLEncoding.EncodeToString(raw)
}
