"""Maps `mailverdict batch` over requests with Spark in local mode: spark_batch.py REQUESTS COMMAND; results go to standard output."""

import sys

from pyspark.sql import SparkSession


def main():
    requests, command = sys.argv[1:]
    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    lines = spark.sparkContext.textFile(requests, minPartitions=4)
    assert lines.getNumPartitions() >= 4, lines.getNumPartitions()
    for result in lines.pipe(command, checkCode=True).collect():
        print(result)
    spark.stop()


main()
