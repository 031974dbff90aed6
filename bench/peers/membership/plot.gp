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
sizes = "8 32 64"
libraries = "ours memberlist serf"
colours = "#2ca02c #1f77b4 #ff7f0e"
of(measure, library, nodes) = sprintf("< awk '$1 == \"%s\" && $2 == \"%s\" && $3 == %s { print $4 }' %s", measure, library, nodes, columns)
set multiplot layout 2,2
set xtics ("ours, 8" 1, "memberlist" 2, "Serf" 3, "ours, 32" 5, "memberlist" 6, "Serf" 7, "ours, 64" 9, "memberlist" 10, "Serf" 11) rotate by -35
set logscale y
set ylabel "s"
set yrange [0.01:100]
set title "all joined at once until every view is full"
plot for [s=1:3] for [l=1:3] of("views_full", word(libraries, l), word(sizes, s)) using (4 * s + l - 4):1 lc rgb word(colours, l)
set title "an event of 64 bytes at the last node"
set ylabel "ms"
set yrange [0.5:2000]
plot for [s=1:3] for [l=1:3] of("event", word(libraries, l), word(sizes, s)) using (4 * s + l - 4):1 lc rgb word(colours, l)
unset logscale y
set xtics ("ours" 1, "memberlist" 2, "Serf" 3) norotate
set ylabel "s"
set yrange [0:*]
set title "SIGKILL until the first report, 32 nodes"
plot for [l=1:3] of("first_report", word(libraries, l), "32") using (l):1 lc rgb word(colours, l)
set title "leave at the last node, 32 nodes"
plot for [l=1:3] of("leave", word(libraries, l), "32") using (l):1 lc rgb word(colours, l)
unset multiplot
