package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// browserHeaders are those of a member's browser. Each member has an address of their own behind the proxy.
func browserHeaders(member int64) map[string]string {
	return map[string]string{
		"Cookie":          "session=" + sessionToken(member),
		"Accept":          "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
		"Accept-Language": []string{"en-GB,en;q=0.8", "fr-FR,fr;q=0.9,en;q=0.6"}[member%2],
		"Accept-Encoding": "gzip, deflate, br",
		"User-Agent":      "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
		"Sec-Fetch-Site":  "same-origin",
		"X-Forwarded-For": fmt.Sprintf("10.%d.%d.%d", member>>16, member>>8&255, member&255),
	}
}

// request is written by hand and its answer read with little effort, so that the load takes little of the processors that the
// service and the database are measured on.
type request struct {
	method, path, body string
	member             int64
	// fragment asks as the script on the page does.
	fragment bool
}

func (r request) encode(host string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.method, r.path, host)
	for name, value := range browserHeaders(r.member) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, value)
	}
	if r.fragment {
		b.WriteString("HX-Request: true\r\n")
	}
	if r.method == "POST" {
		fmt.Fprintf(&b, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n", len(r.body))
	}
	b.WriteString("\r\n" + r.body)
	return b.Bytes()
}

// client is one browser's connection, which it keeps.
type client struct {
	conn    net.Conn
	answers *bufio.Reader
}

func dial(ctx context.Context, address string) (*client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connect to the service: %w", err)
	}
	return &client{conn: conn, answers: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// do sends a request and reads its answer to the end.
func (c *client) do(encoded []byte) (status, size int, err error) {
	if err := c.conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return 0, 0, fmt.Errorf("limit the time of a request: %w", err)
	}
	if _, err := c.conn.Write(encoded); err != nil {
		return 0, 0, fmt.Errorf("send a request: %w", err)
	}
	line, err := c.answers.ReadString('\n')
	if err != nil {
		return 0, 0, fmt.Errorf("read an answer: %w", err)
	}
	if len(line) < 12 {
		return 0, 0, fmt.Errorf("read an answer: it begins with %q", line)
	}
	if status, err = strconv.Atoi(line[9:12]); err != nil {
		return 0, 0, fmt.Errorf("read an answer: it begins with %q", line)
	}
	size = -1
	for {
		if line, err = c.answers.ReadString('\n'); err != nil {
			return 0, 0, fmt.Errorf("read an answer's headers: %w", err)
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			break
		}
		if value, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			if size, err = strconv.Atoi(value); err != nil {
				return 0, 0, fmt.Errorf("read an answer's length: %w", err)
			}
		}
	}
	if size < 0 && status != 204 {
		return 0, 0, errors.New("read an answer: it does not say how long it is")
	}
	if _, err := c.answers.Discard(max(size, 0)); err != nil && !errors.Is(err, io.EOF) {
		return 0, 0, fmt.Errorf("read a page: %w", err)
	}
	return status, size, nil
}

// outcome of a load.
type outcome struct {
	took   []time.Duration
	length time.Duration
	bytes  int
	// failed counts answers with another status than 200, and example is one of their statuses.
	failed, example int
	err             error
}

func (o *outcome) quantile(q float64) float64 {
	if len(o.took) == 0 {
		return 0
	}
	return float64(o.took[int(q*float64(len(o.took)-1))].Microseconds()) / 1000
}

func (o *outcome) rate() float64 { return float64(len(o.took)) / o.length.Seconds() }

// load lets clients ask without pause, each for what next gives it.
func load(ctx context.Context, address string, clients int, length time.Duration, next func(r *rand.Rand) request) outcome {
	results := make([]outcome, clients)
	var wait sync.WaitGroup
	began := time.Now()
	for i := range results {
		wait.Go(func() {
			results[i] = oneClient(ctx, address, began.Add(length), rand.New(rand.NewPCG(uint64(i), uint64(began.UnixNano()))), next)
		})
	}
	wait.Wait()
	total := outcome{length: time.Since(began)}
	for _, r := range results {
		total.took = append(total.took, r.took...)
		total.bytes += r.bytes
		total.failed += r.failed
		total.err = errors.Join(total.err, r.err)
		if r.failed > 0 {
			total.example = r.example
		}
	}
	slices.Sort(total.took)
	if total.failed > 0 {
		total.err = errors.Join(total.err, fmt.Errorf("%d answers had not status 200 but, for example, %d", total.failed, total.example))
	}
	return total
}

func oneClient(ctx context.Context, address string, end time.Time, random *rand.Rand, next func(r *rand.Rand) request) (o outcome) {
	c, err := dial(ctx, address)
	if err != nil {
		return outcome{err: err}
	}
	defer c.conn.Close()
	for time.Now().Before(end) && ctx.Err() == nil {
		encoded := next(random).encode(address)
		asked := time.Now()
		status, size, err := c.do(encoded)
		if err != nil {
			o.err = err
			return o
		}
		if status != http.StatusOK {
			o.failed, o.example = o.failed+1, status
			continue
		}
		o.took = append(o.took, time.Since(asked))
		o.bytes += size
	}
	o.err = ctx.Err()
	return o
}
