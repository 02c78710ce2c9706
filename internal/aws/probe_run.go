package aws

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/patchtide/patchtide/internal/patch"
)

// deliverWithin is the shortest delivery time-out that Run Command takes, in seconds.
const deliverWithin = 30

// probeComment begins the comment of a probe's command.
const probeComment = "Patchtide: health check, reads only"

// SendProbe sends a probe and returns its command's id. Sending it twice does no harm: it only reads.
func SendProbe(
	ctx context.Context, s *Services, in Instance, platform patch.Platform, probe Probe, comment string,
) (string, error) {
	document, script := probe.Script(platform)
	return sendCommand(ctx, s, &ssm.SendCommandInput{
		DocumentName: &document, InstanceIds: []string{in.ID}, TimeoutSeconds: Ptr(int32(deliverWithin)),
		Comment:    Ptr(comment),
		Parameters: map[string][]string{"commands": script, "executionTimeout": {strconv.Itoa(probe.Within())}},
	})
}

// SendOnce is SendProbe, unless a command with the comment is there: a reply that was lost costs nothing then. Of
// several the first is it, which has watched for longest.
func SendOnce(
	ctx context.Context, s *Services, in Instance, platform patch.Platform, probe Probe, comment string,
) (string, error) {
	sent, err := FindCommands(ctx, s, in.String(), in.ID, comment)
	if err != nil {
		return "", err
	}
	if n := len(sent); n > 0 {
		return Deref(sent[n-1].CommandId), nil
	}
	return SendProbe(ctx, s, in, platform, probe, comment)
}

func sendCommand(ctx context.Context, s *Services, in *ssm.SendCommandInput) (string, error) {
	out, err := s.SSM.SendCommand(ctx, in)
	if err != nil {
		return "", err
	}
	if out.Command == nil || Deref(out.Command.CommandId) == "" {
		return "", errors.New("SendCommand answered without a command id")
	}
	return *out.Command.CommandId, nil
}

// ProbeReport is what a probe printed.
type ProbeReport struct {
	Answers []TimedAnswer // of one look all; of a bake the first that were not good
	Looks   int
	Bad     int // looks
	Row     int // bad looks in a row, at the end
}

// TimedAnswer is an answer with its time by the machine's clock.
type TimedAnswer struct {
	patch.Answer
	Number int // of its check in the probe, from 0
	At     time.Time
}

// Bake is the report for people.
func (r ProbeReport) Bake() patch.Bake {
	bake := patch.Bake{Looks: r.Looks, Bad: r.Bad}
	for _, answer := range r.Answers {
		bake.Failures = append(bake.Failures, patch.BakeFailure{At: answer.At, What: answer.String()})
	}
	return bake
}

// ReadReport reads what a probe printed. An output without the last line is of a probe that was cut, and an error: it
// proves nothing.
func (p Probe) ReadReport(stdout, stderr string) (ProbeReport, error) {
	var report ProbeReport
	for line := range strings.Lines(stdout) {
		line = strings.TrimSpace(line)
		if rest, last := strings.CutPrefix(line, "end "); last {
			if _, err := fmt.Sscanf(rest, "%d %d %d", &report.Looks, &report.Bad, &report.Row); err != nil {
				return report, fmt.Errorf("the probe's last line is %q", line)
			}
			return report, nil
		}
		answer, err := p.readLine(line)
		if err != nil {
			return report, err
		}
		report.Answers = append(report.Answers, answer)
	}
	why := "the probe was cut: its last line is missing"
	if line := firstLine(stderr); line != "" {
		why += ": " + line
	}
	return report, errors.New(why)
}

// readLine reads NUMBER STATUS BODY TIME SAID.
func (p Probe) readLine(line string) (TimedAnswer, error) {
	words := append(strings.SplitN(line, " ", 5), "", "", "", "", "")
	number, err := strconv.Atoi(words[0])
	status, notStatus := strconv.Atoi(words[1])
	at, notTime := time.Parse(time.RFC3339, words[3])
	if err != nil || notStatus != nil || notTime != nil || number < 1 || number > len(p.Checks) {
		return TimedAnswer{}, fmt.Errorf("the probe printed what is no answer: %q", line)
	}
	return TimedAnswer{Number: number - 1, At: at, Answer: patch.Answer{
		Check: p.Checks[number-1], Status: status, Lacks: words[2] == "-", Said: strings.TrimSpace(words[4]),
	}}, nil
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

// digest names a text without telling it; "" of none.
func digest(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(text)))
	return hex.EncodeToString(sum[:])
}
