// Tarball writes a container image as a file that "ctr images import" takes, without Docker and
// without a registry. The same input always gives the same bytes, so the digest tells whether an
// image changed.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Users of an image made from nothing.
const (
	passwdFile = "root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"
	groupFile  = "root:x:0:\nnonroot:x:65532:\n"
)

// listFlag is a flag that may be given several times.
type listFlag []string

func (l *listFlag) String() string     { return strings.Join(*l, ",") }
func (l *listFlag) Set(v string) error { *l = append(*l, v); return nil }

// request is what the command line asks for.
type request struct {
	repository string
	tag        string
	output     string
	rootfs     string
	bare       bool
	files      listFlag
	links      listFlag
	entrypoint listFlag
	command    listFlag
	env        listFlag
	labels     listFlag
	user       string
	workdir    string
	stopSignal string
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "tarball:", err)
		os.Exit(1)
	}
}

func run() error {
	req := parse()
	image, err := build(req)
	if err != nil {
		return err
	}
	digest, err := image.ConfigName()
	if err != nil {
		return fmt.Errorf("compute image id: %w", err)
	}
	tag := strings.ReplaceAll(req.tag, "{digest}", digest.Hex[:12])
	if err := write(req, image, tag); err != nil {
		return err
	}
	fmt.Printf("%s:%s\n", req.repository, tag)
	return nil
}

func parse() request {
	var req request
	flag.StringVar(&req.repository, "repository", "", "image name without a tag, e.g. localhost/community/operator")
	flag.StringVar(&req.tag, "tag", "dev-{digest}", "tag; {digest} stands for the first 12 digits of the image's digest")
	flag.StringVar(&req.output, "output", "", "tarball to write")
	flag.StringVar(&req.rootfs, "rootfs", "", "tar archive of a root file system to start from; none: from nothing")
	flag.BoolVar(&req.bare, "bare", false, "leave out certificates, time zones and users")
	flag.Var(&req.files, "file", "source=destination, a program to add (repeatable)")
	flag.Var(&req.links, "link", "target=name, a symbolic link to add (repeatable)")
	flag.Var(&req.entrypoint, "entrypoint", "program and arguments to run (repeatable, in order)")
	flag.Var(&req.command, "command", "what to run when the pod does not say (repeatable, in order)")
	flag.Var(&req.env, "env", "NAME=value (repeatable)")
	flag.Var(&req.labels, "label", "name=value (repeatable)")
	flag.StringVar(&req.user, "user", "65532:65532", "uid:gid to run as")
	flag.StringVar(&req.workdir, "workdir", "/", "working directory")
	flag.StringVar(&req.stopSignal, "stop-signal", "", "signal that asks the program to stop")
	flag.Parse()
	return req
}

// build stacks the layers from what changes least to what changes most.
func build(req request) (v1.Image, error) {
	var layers []v1.Layer
	if req.rootfs != "" {
		content, err := os.ReadFile(req.rootfs)
		if err != nil {
			return nil, fmt.Errorf("read root file system: %w", err)
		}
		layers = append(layers, layerFromBytes(content))
	} else if !req.bare {
		layer, err := baseLayer()
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer)
	}
	if len(req.files) > 0 {
		layer, err := programLayer(req.files, req.links)
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer)
	}
	image, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		return nil, fmt.Errorf("stack layers: %w", err)
	}
	return configure(image, req)
}

func configure(image v1.Image, req request) (v1.Image, error) {
	file, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read image config: %w", err)
	}
	file = file.DeepCopy()
	file.OS, file.Architecture = "linux", runtime.GOARCH
	file.Config = v1.Config{
		Entrypoint: req.entrypoint,
		Cmd:        req.command,
		Env:        append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, req.env...),
		User:       req.user,
		WorkingDir: req.workdir,
		StopSignal: req.stopSignal,
		Labels:     map[string]string{},
	}
	for _, label := range req.labels {
		key, value, ok := strings.Cut(label, "=")
		if !ok {
			return nil, fmt.Errorf("label %q: want name=value", label)
		}
		file.Config.Labels[key] = value
	}
	return mutate.ConfigFile(image, file)
}

func write(req request, image v1.Image, tag string) error {
	reference, err := name.NewTag(req.repository+":"+tag, name.WithDefaultRegistry(""))
	if err != nil {
		return fmt.Errorf("name the image: %w", err)
	}
	// Written beside its place and moved, so that a stopped run leaves no half file under the final name.
	partial := req.output + ".partial"
	if err := tarball.WriteToFile(partial, reference, image); err != nil {
		return fmt.Errorf("write %s: %w", req.output, err)
	}
	return os.Rename(partial, req.output)
}

// layerFromBytes leaves the layer uncompressed: the file never leaves this machine, and packing costs seconds.
func layerFromBytes(content []byte) v1.Layer {
	return static.NewLayer(content, types.DockerUncompressedLayer)
}
