package main

import (
	"fmt"
	"net"

	"github.com/quaeso/community-operator/ideas"
)

// sampleSettings are those of a service that runs alone: a brand of outdoor equipment, in French and English.
func sampleSettings(o options) (ideas.Settings, error) {
	baseURL := o.baseURL
	if baseURL == "" {
		host, port, err := net.SplitHostPort(o.listen)
		if err != nil {
			return ideas.Settings{}, fmt.Errorf("--listen must be an address such as :8080: %w", err)
		}
		if host == "" || host == "0.0.0.0" || host == "::" {
			host = "localhost"
		}
		baseURL = "http://" + net.JoinHostPort(host, port)
	}
	return ideas.Settings{
		BaseURL: baseURL,
		Name:    map[string]string{"fr": "Atelier Horizon", "en": "Horizon Workshop"},
		TagLine: map[string]string{
			"fr": "Imaginons ensemble l’équipement de demain, du sentier au sommet.",
			"en": "Let’s imagine tomorrow’s gear together, from trail to summit.",
		},
		Colors:  ideas.Colors{Primary: "#0b6e4f", Accent: "#f2a541"},
		Locales: []string{"fr", "en"}, TimeZone: "Europe/Paris", Revision: "sample",
	}, nil
}
