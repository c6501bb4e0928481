package web

// UnsubscribePath is where mails lead that somebody wants no more of; "?token=" and a token follow.
const UnsubscribePath = "/unsubscribe"
