package rewardpolicy_test

import (
	"testing"

	"github.com/quaeso/community-operator/internal/testutil/programme"
)

func TestMain(m *testing.M) { programme.Main(m) }
