package stack

// certificateSecretName is the Secret with the community's own certificate: the one that it brings, or the one
// that cert-manager fills. Empty when it has none of its own.
func certificateSecretName(p Plan) string {
	switch {
	case len(p.OwnCertificateHostnames()) == 0:
		return ""
	case p.Community.Spec.TLS != nil:
		return p.Community.Spec.TLS.SecretName
	default:
		return TLSName(p.Community.Name)
	}
}
