package ideas

import "time"

// Recipient is whom a mail goes to.
type Recipient struct {
	Member       int64
	Email        string
	Name, Locale string
}

// Letter is what one mail tells a member of.
type Letter struct {
	Recipient
	// Notices in the order in which they are told; a digest has the newest first, and More that did not fit.
	Notices []Notice
	More    int
	// IDs of all notices that the mail stands for.
	IDs []int64
	// Unsubscribe is the token that stops mails of the notice's kind, or all of a digest.
	Unsubscribe string
}

// ErasureMail is the job that asks a member to confirm their erasure.
type ErasureMail struct {
	Erasure int64 `json:"erasure" river:"unique"`
}

// Kind names the job.
func (ErasureMail) Kind() string { return "erasure_mail" }

// RetentionMail is the job that announces to a member who did not come back that they will be erased.
type RetentionMail struct {
	Member int64 `json:"member" river:"unique"`
	// Erased is when, if they do not come back.
	Erased time.Time `json:"erased" river:"unique"`
}

// Kind names the job.
func (RetentionMail) Kind() string { return "retention_mail" }

// LettersInDigest bounds the notices that a digest tells one by one.
const LettersInDigest = 30
