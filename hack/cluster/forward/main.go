// Forward listens on ports of this machine's loopback addresses and passes each connection on to the
// local cluster: a browser resolves *.localhost to the loopback address and to nothing else.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: forward PORT=ADDRESS:PORT ...")
		os.Exit(2)
	}
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "forward:", err)
		os.Exit(1)
	}
}

func run(pairs []string) error {
	failed := make(chan error)
	for _, pair := range pairs {
		port, target, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("%q: want PORT=ADDRESS:PORT", pair)
		}
		listeners, err := listen(port)
		if err != nil {
			return err
		}
		for _, listener := range listeners {
			go func() { failed <- serve(listener, target) }()
		}
	}
	return <-failed
}

// listen opens the port on IPv4, and on IPv6 where the machine has it: browsers try either.
func listen(port string) ([]net.Listener, error) {
	v4, err := net.Listen("tcp4", "127.0.0.1:"+port)
	if err != nil {
		return nil, err
	}
	listeners := []net.Listener{v4}
	if v6, err := net.Listen("tcp6", "[::1]:"+port); err == nil {
		listeners = append(listeners, v6)
	}
	return listeners, nil
}

func serve(listener net.Listener, target string) error {
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go pass(client.(*net.TCPConn), target)
	}
}

func pass(client *net.TCPConn, target string) {
	defer client.Close()
	dialed, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	server := dialed.(*net.TCPConn)
	defer server.Close()
	done := make(chan struct{}, 2)
	go pipe(server, client, done)
	go pipe(client, server, done)
	<-done
	<-done
}

// pipe closes only the writing half at the end: the other direction may still have something to say.
func pipe(to, from *net.TCPConn, done chan<- struct{}) {
	_, err := io.Copy(to, from)
	_ = to.CloseWrite()
	if err != nil {
		_ = from.CloseRead()
	}
	done <- struct{}{}
}
