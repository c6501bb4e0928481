package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/quaeso/community-operator/ideas"
)

// errOtherResult tells that a file holds, but is another than the one that was published.
var errOtherResult = errors.New("the file is not the one that was published: its SHA-256 is another")

// verifyResult counts the ballots of a published result again. It needs no database and asks nobody.
func verifyResult(args []string, out, errOut io.Writer) (err error) {
	flags := flag.NewFlagSet("ideas verify-result", flag.ContinueOnError)
	flags.SetOutput(errOut)
	published := flags.String("sha256", "", "the hash that the challenge's page shows; without it, compare the one printed with the page")
	flags.Usage = func() {
		_, _ = fmt.Fprintln(errOut, "Usage: ideas verify-result [--sha256 HASH] FILE\n\nCounts the ballots of a challenge's published result again. FILE may be - for the standard input.\n\nFlags:")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("read the flags: %w", err)
	}
	if flags.NArg() != 1 {
		flags.Usage()
		return errors.New("give one file")
	}
	file := io.Reader(os.Stdin)
	if name := flags.Arg(0); name != "-" {
		opened, err := os.Open(name) //nolint:gosec // named by whoever runs us
		if err != nil {
			return fmt.Errorf("open the result: %w", err)
		}
		defer opened.Close()
		file = opened
	}
	result, err := ideas.VerifyResult(file)
	if err != nil {
		return fmt.Errorf("verify the result: %w", err)
	}
	if err := printResult(out, result); err != nil {
		return err
	}
	if *published != "" && !strings.EqualFold(*published, result.SHA256) {
		return errOtherResult
	}
	return nil
}

func printResult(out io.Writer, r ideas.VerifiedResult) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, err := fmt.Fprintf(w, "The ranking follows from the ballots.\n\nchallenge\t%s\nballot\t%s\nclosed\t%s\nvoters\t%d\nvotes\t%d\nSHA-256\t%s\n\nrank\tvotes\tpoints\tentry\ttitle\n",
		printable(r.Head.Challenge), r.Head.Ballot.Kind, r.Head.ClosedAt.Format("2006-01-02 15:04:05 MST"), r.Voters, r.Votes, r.SHA256)
	for _, e := range r.Ranked {
		_, lineErr := fmt.Fprintf(w, "%d\t%d\t%d\t%d\t%s\n", e.Rank, e.Votes, e.Points, e.Entry, printable(e.Title))
		err = errors.Join(err, lineErr)
	}
	return errors.Join(err, w.Flush())
}

// printable keeps a member's text from steering the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, text)
}
