package main

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

const (
	verifierPrefix = "SCRAM-SHA-256$"
	iterations     = 4096
)

// newVerifier is what PostgreSQL stores instead of a password (RFC 5803): handing it the verifier
// keeps the password itself out of statements and logs.
func newVerifier(password string) (string, error) {
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("make a salt: %w", err)
	}
	return verifierOf(password, salt, iterations)
}

func verifierOf(password string, salt []byte, count int) (string, error) {
	salted, err := pbkdf2.Key(sha256.New, password, salt, count, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("derive the password's key: %w", err)
	}
	stored := sha256.Sum256(sign(salted, "Client Key"))
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("%s%d:%s$%s:%s", verifierPrefix, count, encode(salt), encode(stored[:]), encode(sign(salted, "Server Key"))), nil
}

// matches tells whether a verifier was made from the password.
func matches(verifier, password string) bool {
	body, ok := strings.CutPrefix(verifier, verifierPrefix)
	if !ok {
		return false
	}
	head, _, _ := strings.Cut(body, "$")
	count, encoded, _ := strings.Cut(head, ":")
	number, err := strconv.Atoi(count)
	if err != nil {
		return false
	}
	salt, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return false
	}
	again, err := verifierOf(password, salt, number)
	return err == nil && subtle.ConstantTimeCompare([]byte(again), []byte(verifier)) == 1
}

func sign(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
