package main

import (
	"context"
	"io"
)

func seed(ctx context.Context, args []string, out, errOut io.Writer) error { return nil }
