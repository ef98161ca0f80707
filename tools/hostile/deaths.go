package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// workerDeaths reads the metric of dead decode workers.
func workerDeaths(ctx context.Context, httpURL string) (int, error) {
	const metric = "moderator_decode_worker_deaths_total "
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, httpURL+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), metric); ok {
			return strconv.Atoi(value)
		}
	}
	return 0, fmt.Errorf("%s/metrics has no %s", httpURL, metric)
}
