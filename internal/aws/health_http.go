package aws

import (
	"context"
	"errors"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/patchtide/patchtide/internal/patch"
)

const (
	// answerWithin is how long an instance may take over one HTTP check: the default of Elastic Load Balancing's checks.
	answerWithin = 5 * time.Second
	// deliverWithin is the shortest delivery time-out that Run Command takes, in seconds.
	deliverWithin = 30
	longestPath   = 1024
)

// plainPath holds no quote, space, backslash, brace or control character, so that a path can stand in a script between
// single quotes, in its first line's comment and in a Run Command parameter without meaning anything there.
var plainPath = regexp.MustCompile(`^/[A-Za-z0-9._~!*+,;=:@%/?&-]*$`)

func checkHTTP(where string, of patch.HealthCheck) error {
	check := of.HTTP
	switch {
	case check.Port < 1 || check.Port > 65535:
		return Final(
			InvalidInput, "%s: http check: port %d is not between 1 and 65535; write it like {path: /healthz, port: 80}", where,
			check.Port,
		)
	case len(check.Path) > longestPath || !plainPath.MatchString(check.Path):
		return Final(
			InvalidInput,
			"%s: http check: path %q must begin with / and hold only letters, digits and ._~!*+,;=:@%%/?&-, like /healthz",
			where, check.Path,
		)
	case check.From != "" && check.From != "instance" && check.From != "worker":
		return Final(InvalidInput, "%s: http check: from %q is neither instance (the default) nor worker", where, check.From)
	}
	return nil
}

// observeHTTP asks each address, from the instance by a command, which may answer only at a later look, or from the
// worker.
func observeHTTP(ctx context.Context, look *healthLook) error {
	member := look.seen.Member
	for _, check := range look.Checks {
		if check.HTTP == nil {
			continue
		}
		var answer patch.HTTPObservation
		var err error
		answered := true
		if check.HTTP.From == "worker" {
			answer, err = look.observer.dial(ctx, member.PrivateIP, *check.HTTP)
		} else {
			answer, answered, err = look.sent.ask(ctx, look.services, look.Instance, look.platform(member), *check.HTTP)
		}
		if err != nil {
			return err
		}
		if !answered {
			look.waitingFor = append(look.waitingFor, "http "+probeKey(*check.HTTP))
		}
		look.seen.HTTP = append(look.seen.HTTP, answer)
	}
	return nil
}

// Probes are the HTTP checks' commands that are under way, by check. They go from attempt to attempt as heartbeat
// details, so that a command sent by one attempt is read by the next.
type Probes map[string]string

func probeKey(check patch.HTTPCheck) string { return strconv.Itoa(check.Port) + " " + check.Path }

// ask sends the check's command unless it is under way, and reads its answer; answered is false while it runs. Sending
// it twice after a lost reply does no harm: it only reads.
func (p Probes) ask(
	ctx context.Context, s *Services, in Instance, platform patch.Platform, check patch.HTTPCheck,
) (seen patch.HTTPObservation, answered bool, err error) {
	seen.Check = check
	key := probeKey(check)
	if p[key] == "" {
		id, err := sendProbe(ctx, s, in, platform, check)
		if HasCode(err, CodeAgentNotUsable) {
			seen.Error = "its SSM agent takes no command now"
			return seen, true, nil
		}
		if err != nil {
			return seen, false, Wrap("send an http check", in.String(), err)
		}
		p[key] = id
	}
	probe, err := FindInvocation(ctx, s, in.String(), in.ID, p[key])
	switch {
	case err != nil:
		return seen, false, err
	case probe == nil || !probe.Over(): // not listed, as it is for a moment after SendCommand
		return seen, false, nil
	case !probe.Succeeded():
		if err := probe.ReadOutput(ctx, s, in.String()); err != nil {
			return seen, false, err
		}
		seen.Error = "the check's command ended: " + probe.DescribeEnd()
		return seen, true, nil
	}
	if err := probe.ReadOutput(ctx, s, in.String()); err != nil {
		return seen, false, err
	}
	readProbe(&seen, probe.Stdout, probe.Stderr)
	return seen, true, nil
}

// readProbe reads the status code that the script printed, 000 when nothing answered. Where it can ask nothing, its
// errors say why.
func readProbe(seen *patch.HTTPObservation, stdout, stderr string) {
	status, err := strconv.Atoi(strings.TrimSpace(stdout))
	switch {
	case err != nil:
		seen.Error = strings.TrimSpace("the check printed no status code: " + firstLine(stderr))
	case status == 0:
		seen.Error = "no answer"
	default:
		seen.Status = status
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}

func sendProbe(
	ctx context.Context, s *Services, in Instance, platform patch.Platform, check patch.HTTPCheck,
) (string, error) {
	document, script := "AWS-RunShellScript", linuxProbe(check)
	if platform == patch.Windows {
		document, script = "AWS-RunPowerShellScript", windowsProbe(check)
	}
	out, err := s.SSM.SendCommand(ctx, &ssm.SendCommandInput{
		DocumentName: &document, InstanceIds: []string{in.ID}, TimeoutSeconds: Ptr(int32(deliverWithin)),
		Comment:    Ptr("Patchtide: health check, reads only"),
		Parameters: map[string][]string{"commands": script, "executionTimeout": {strconv.Itoa(deliverWithin)}},
	})
	if err != nil {
		return "", err
	}
	if out.Command == nil || Deref(out.Command.CommandId) == "" {
		return "", errors.New("SendCommand answered without a command id")
	}
	return *out.Command.CommandId, nil
}

// dial does an HTTP check from the worker to the instance's private address.
func (o Observer) dial(ctx context.Context, address string, check patch.HTTPCheck) (patch.HTTPObservation, error) {
	seen := patch.HTTPObservation{Check: check}
	if o.HTTP == nil {
		return seen, Final(InvalidInput, "http check %s: this worker dials no instances; use from: instance", check.Path)
	}
	if address == "" {
		seen.Error = "the instance has no private address"
		return seen, nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(
		ctx, http.MethodGet, "http://"+net.JoinHostPort(address, strconv.Itoa(check.Port))+check.Path, nil,
	)
	if err != nil {
		return seen, Final(InvalidInput, "http check %s: %v", check.Path, err)
	}
	client := *o.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	answer, err := client.Do(request)
	if err != nil {
		seen.Error = err.Error()
		return seen, nil
	}
	seen.Status = answer.StatusCode
	return seen, answer.Body.Close()
}
