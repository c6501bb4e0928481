package oidc

import "net/netip"

// IsPublic is tested by itself: most of its cases cannot be dialled here.
func IsPublic(address string) bool { return isPublic(netip.MustParseAddr(address)) }
