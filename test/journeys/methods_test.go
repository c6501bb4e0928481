//go:build e2e

package journeys

import "testing"

// One journey for each method of co-creation.

func TestSurvey(t *testing.T) { walk(t, "survey.mjs", "methods") }

func TestConceptTest(t *testing.T) { walk(t, "concept-test.mjs", "methods") }

func TestWorkshop(t *testing.T) { walk(t, "workshop.mjs", "methods") }

func TestForum(t *testing.T) { walk(t, "forum.mjs", "methods") }

func TestContest(t *testing.T) { walk(t, "contest.mjs", "contest") }

func TestBetaTest(t *testing.T) { walk(t, "beta-test.mjs", "methods") }

func TestMission(t *testing.T) { walk(t, "mission.mjs", "methods") }

// One journey for each initiative.

func TestLEGOIdeas(t *testing.T) { walk(t, "lego-ideas.mjs", "lego-ideas") }

func TestThreadless(t *testing.T) { walk(t, "threadless.mjs", "threadless") }

func TestBMW(t *testing.T) { walk(t, "bmw.mjs", "bmw") }

func TestSchoolLab(t *testing.T) { walk(t, "school-lab.mjs", "school-lab") }

func TestQualityHunters(t *testing.T) { walk(t, "quality-hunters.mjs", "quality-hunters") }
