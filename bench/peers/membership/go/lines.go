// Package main: peers of the membership benchmark. What they are told and what they report is in ../README.md.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"unsafe"
)

// The clock that every program of the benchmark reports by.
const clockBoottime = 7

func now() int64 {
	var at syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockBoottime, uintptr(unsafe.Pointer(&at)), 0)
	return at.Nano()
}

var output sync.Mutex

// report tells the runner what happened, with the moment at which it was called.
func report(what string, about string) {
	at := now()
	output.Lock()
	defer output.Unlock()
	fmt.Fprintf(os.Stdout, "%d %s %s\n", at, what, about)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// place reads the arguments: <name> <address:port>.
func place() (name string, address string, port int) {
	if len(os.Args) != 3 {
		fail(fmt.Errorf("usage: %s <name> <address:port>", os.Args[0]))
	}
	address, text, err := net.SplitHostPort(os.Args[2])
	if err != nil {
		fail(err)
	}
	port, err = strconv.Atoi(text)
	if err != nil {
		fail(err)
	}
	return os.Args[1], address, port
}

// obey does what the runner says until its end.
func obey(commands map[string]func(argument string) error) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		word, argument, _ := strings.Cut(lines.Text(), " ")
		command, known := commands[word]
		if !known {
			fail(fmt.Errorf("unknown command: %s", word))
		}
		if err := command(argument); err != nil {
			report("refused", err.Error())
		}
	}
}
