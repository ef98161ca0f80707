package app

import (
	"os"
	"testing"

	"moderator/internal/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
