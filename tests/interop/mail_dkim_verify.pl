# Verifies messages with Mail::DKIM: each line of standard input but the first is a message in base64; the first is the name of the key
# record, a space and its text. Prints a line for each: "pass", or what else it found.
use strict;
use warnings;
use MIME::Base64;
use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;
use Net::DNS::RR;

chomp( my $first = <STDIN> );
my ( $name, $record ) = split / /, $first, 2;
{
    no warnings 'redefine';
    *Mail::DKIM::DNS::query = sub {
        my ( $asked, $type ) = @_;
        return if lc $asked ne $name || $type ne 'TXT';
        return Net::DNS::RR->new( owner => $name, type => 'TXT', txtdata => [ $record =~ /(.{1,255})/g ] );
    };
}
while ( my $line = <STDIN> ) {
    my $verifier = Mail::DKIM::Verifier->new;
    $verifier->PRINT( decode_base64($line) );
    $verifier->CLOSE;
    print $verifier->result eq 'pass' ? "pass\n" : $verifier->result_detail . "\n";
}
