//go:build e2e

package journeys

import "testing"

// Journeys of the brand's team and of members beside the methods and initiatives.

func TestModeration(t *testing.T) { walk(t, "moderation.mjs", "moderation") }

func TestAnswers(t *testing.T) { walk(t, "answers.mjs", "answers") }

func TestRecognition(t *testing.T) { walk(t, "recognition.mjs", "recognition") }

func TestInsights(t *testing.T) { walk(t, "insights.mjs", "insights") }

func TestMembers(t *testing.T) { walk(t, "members.mjs", "members") }
