package web

// Paths that mails lead to.
const (
	NoticesPath        = "/notices"
	NoticeSettingsPath = "/account/notices"
	// UnsubscribePath is where mails lead that somebody wants no more of; "?token=" and a token follow.
	UnsubscribePath = "/unsubscribe"
	// ErasurePath confirms an erasure; "?token=" and a token follow.
	ErasurePath = "/account/erasure/confirmation"
)
