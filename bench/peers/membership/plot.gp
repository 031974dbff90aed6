# gnuplot -e "columns='membership.columns'" -e "image='bench/membership.svg'" bench/peers/membership/plot.gp
# Of a run with all measures, at 8, 32 and 64 nodes.
set terminal svg size 1000,760 background "white" font "sans,12"
set output image
set style data boxplot
set style boxplot nooutliers
set style fill solid 0.3 border
set boxwidth 0.6
set grid ytics
set key off
of(measure, library, nodes) = sprintf("< awk '$1 == \"%s\" && $2 == \"%s\" && $3 == %d { print $4 }' %s", measure, library, nodes, columns)
set multiplot layout 2,2
set xtics ("ours\n8" 1, "memberlist\n8" 2, "Serf\n8" 3, "ours\n32" 5, "memberlist\n32" 6, "Serf\n32" 7, "ours\n64" 9, "memberlist\n64" 10, "Serf\n64" 11) font "sans,9"
set ylabel "s"
set yrange [0:*]
set title "all joined at once until every view is full"
plot of("views_full", "ours", 8) using (1):1, of("views_full", "memberlist", 8) using (2):1, of("views_full", "serf", 8) using (3):1, \
     of("views_full", "ours", 32) using (5):1, of("views_full", "memberlist", 32) using (6):1, of("views_full", "serf", 32) using (7):1, \
     of("views_full", "ours", 64) using (9):1, of("views_full", "memberlist", 64) using (10):1, of("views_full", "serf", 64) using (11):1
set title "an event of 64 bytes at the last node"
set ylabel "ms"
set logscale y
set yrange [0.5:2000]
plot of("event", "ours", 8) using (1):1, of("event", "memberlist", 8) using (2):1, of("event", "serf", 8) using (3):1, \
     of("event", "ours", 32) using (5):1, of("event", "memberlist", 32) using (6):1, of("event", "serf", 32) using (7):1, \
     of("event", "ours", 64) using (9):1, of("event", "memberlist", 64) using (10):1, of("event", "serf", 64) using (11):1
unset logscale y
set xtics ("ours" 1, "memberlist" 2, "Serf" 3) font "sans,12"
set ylabel "s"
set yrange [0:*]
set title "SIGKILL until the first report, 32 nodes"
plot of("first_report", "ours", 32) using (1):1, of("first_report", "memberlist", 32) using (2):1, of("first_report", "serf", 32) using (3):1
set title "leave at the last node, 32 nodes"
plot of("leave", "ours", 32) using (1):1, of("leave", "memberlist", 32) using (2):1, of("leave", "serf", 32) using (3):1
unset multiplot
