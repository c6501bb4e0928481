//go:build !linux

package main

// releaseProgram does nothing here: the images are for Linux.
func releaseProgram() error { return nil }
