# Texts of commands.
$ restore
| create a hash:ip
| add a 1.1.1.1
| add a 1.1.1.2
| add a 1.1.1.1
| add a 1.1.1.3
2> ipset v7.17: Error in line 4: Element cannot be added to the set: it's already added
= 1
$ save -s
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add a 1.1.1.1
1> add a 1.1.1.2
$ destroy
$ restore
| create a hash:ip
| add a 1.1.1.1
| add a nonsense
| add a 1.1.1.3
2> ipset v7.17: Error in line 3: Syntax error: cannot parse nonsense: resolving to IPv4 address failed
= 1
$ save -s
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ destroy
$ restore
| create a hash:ip
$ |
| # comment
|   # comment 2
|    add a 1.1.1.1
2> ipset v7.17: No command specified: unknown argument |
2> Try `ipset help' for more information.
= 2
$ |	add a 1.1.1.2   
| add a 1.1.1.3 # comment
2> ipset v7.17: No command specified: unknown argument |
2> Try `ipset help' for more information.
= 2
$ save -s
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ destroy
$ restore
| create a hash:ip
| add a 1.1.1.1
| foo
2> ipset v7.17: No command specified: unknown argument foo
2> Try `ipset help' for more information.
= 2
$ save -s
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ destroy
$ restore
| create a hash:ip
| add a 1.1.1.1
| test a 1.1.1.1
| test a 1.1.1.2
| add a 1.1.1.5
2> Warning: 1.1.1.1 is in set a.
$ save -s
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add a 1.1.1.1
$ destroy
$ restore
| create a hash:ip comment
| add a 1.1.1.1 comment "a b"
| add a 1.1.1.2 comment "a b
| add a 1.1.1.3
2> ipset v7.17: Missing mandatory argument of option `comment'
2> Try `ipset help' for more information.
= 2
$ save -s
1> create a hash:ip family inet hashsize 1024 maxelem 65536 comment bucketsize 12 initval 0x?
$ destroy
$ restore
| create a hash:ip comment
| add a 1.1.1.1 comment "a  'b"
| add a 1.1.1.2 comment 'a b'
2> ipset v7.17: Unknown argument: `b''
2> Try `ipset help' for more information.
= 2
$ save -s
1> create a hash:ip family inet hashsize 1024 maxelem 65536 comment bucketsize 12 initval 0x?
$ destroy
$ restore
| -exist create a hash:ip
| create a hash:ip -exist
| add a 1.1.1.1 -exist
| add a 1.1.1.1 -exist
| add a 1.1.1.1
$ save -s
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add a 1.1.1.1
$ destroy
$ restore
| create a hash:ip
| add a 1.1.1.1
| add b 1.1.1.1
2> ipset v7.17: Error in line 3: The set with the given name does not exist
= 1
$ save -s
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ destroy
$ restore
| create a hash:ip
| add a 1.1.1.1
| COMMIT
| add a 1.1.1.2
$ save -s
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add a 1.1.1.1
1> add a 1.1.1.2
$ destroy
$ restore
| create a hash:ip
| help
2> ipset v7.17: Command `help' is invalid in restore mode.
2> Try `ipset help' for more information.
= 2
$ destroy
$ restore
| create a hash:ip
| version
2> ipset v7.17: Command `version' is invalid in restore mode.
2> Try `ipset help' for more information.
= 2
$ destroy
$ restore
| create a hash:ip
| add a 1.1.1.1
| restore
2> ipset v7.17: Command `restore' is invalid in restore mode.
2> Try `ipset help' for more information.
= 2
$ save
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ destroy
$ restore
| create a hash:ip
| -A a 1.1.1.1
| -N b hash:ip
| -X a
$ save
1> create b hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ destroy
$ restore
| create a hash:ip
| create b hash:ip
| add a 1.1.1.1
| add b 1.1.1.1
| add c 1.1.1.1
2> ipset v7.17: Error in line 5: The set with the given name does not exist
= 1
$ save
1> add a 1.1.1.1
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> create b hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ destroy
$ restore
| create a hash:ip
| create b hash:ip
| add a 1.1.1.1
| add b 1.1.1.1
| add b nonsense
2> ipset v7.17: Error in line 5: Syntax error: cannot parse nonsense: resolving to IPv4 address failed
= 1
$ save
1> add a 1.1.1.1
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> create b hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ destroy
$ restore
| create a hash:ip
| add a 1.1.1.1
| add a 1.1.1.2
| del a 1.1.1.1
| add a nonsense
2> ipset v7.17: Error in line 5: Syntax error: cannot parse nonsense: resolving to IPv4 address failed
= 1
$ save -s
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add a 1.1.1.1
1> add a 1.1.1.2
$ destroy
$ restore
| create a hash:ip
| add a 1.1.1.1
| create b foo
2> ipset v7.17: Error in line 3: Syntax error: typename 'foo' is unknown
= 1
$ save
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ destroy
$ restore
| create a hash:ip
| add a 1.1.1.1
| create b hash:ip foo
2> ipset v7.17: Unknown argument: `foo'
2> Try `ipset help' for more information.
= 2
$ save
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ destroy
$ restore
| create a hash:ip
| add a 1.1.1.1
| flush nosuch
2> ipset v7.17: Error in line 3: The set with the given name does not exist
= 1
$ save
1> add a 1.1.1.1
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ destroy
$ restore
| create a hash:ip
| add a 1.1.1.1
| add a 1.1.1.1
| flush nosuch
2> ipset v7.17: Error in line 3: Element cannot be added to the set: it's already added
= 1
$ save
1> add a 1.1.1.1
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ destroy
$ restore
| create a hash:ip
| add a 1.1.1.1
| add a 1.1.1.2 timeout 3
| add a 1.1.1.3
2> ipset v7.17: Error in line 3: Timeout cannot be used: set was created without timeout support
= 1
$ save
1> add a 1.1.1.1
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ destroy
$ restore
| create a hash:ip
| add a 1.1.1.1
| add a 1.1.1.2 -exist
| add a 1.1.1.1
2> ipset v7.17: Error in line 4: Element cannot be added to the set: it's already added
= 1
$ save -s
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> add a 1.1.1.1
1> add a 1.1.1.2
$ destroy
$ restore
| create a hash:ip maxelem 3
| add a 1.1.1.0/29
2> ipset v7.17: Error in line 2: Hash is full, cannot add more elements
= 1
$ save -s
1> create a hash:ip family inet hashsize 1024 maxelem 3 bucketsize 12 initval 0x?
1> add a 1.1.1.0
1> add a 1.1.1.1
1> add a 1.1.1.2
$ destroy
$ restore
| create a hash:ip -q
| create a hash:ip -q
= 1
$ destroy
$ restore
| create a hash:ip -o xml
| save
1> <ipsets>
1> <ipset name="a">
1> <type>hash:ip</type>
1> <revision>6</revision>
1> <header><family>inet</family><hashsize>1024</hashsize><maxelem>65536</maxelem><bucketsize>12</bucketsize><initval>0x?</initval>
1> <memsize>216</memsize>
1> <references>0</references>
1> <numentries>0</numentries>
1> </header>
1> <members>
1> </members>
1> </ipset>
1> </ipsets>
$ destroy
$ -exist restore
| create a hash:ip
| create a hash:ip
| add a 1.1.1.1
| del a 1.1.1.2
| add a 1.1.1.1
| create b hash:ip
| add b 1.1.1.1
| add b 1.1.1.1
| destroy nosuch
$ save
1> add a 1.1.1.1
1> add b 1.1.1.1
1> create a hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> create b hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ destroy
$ restore
| create a hash:ip comment
| add a 1.1.1.4 comment "a"  
| add "a" "1.1.1.5" comment "b c"
| add a 1.1.1.9 "comment" "d"e" f"
| add a 1.1.1.10 comment x"y z"w
| add a 1.1.1.11 comment "x\" y"
$ save -s
1> create a hash:ip family inet hashsize 1024 maxelem 65536 comment bucketsize 12 initval 0x?
1> add a 1.1.1.4 comment "a"
1> add a 1.1.1.5 comment "b c"
1> add a 1.1.1.9 comment "de f"
1> add a 1.1.1.10 comment "xy zw"
1> add a 1.1.1.11 comment "x\"
$ destroy
$ restore
| create a hash:ip comment
| add a 1.1.1.4 comment ""
2> ipset v7.17: Missing mandatory argument of option `comment'
2> Try `ipset help' for more information.
= 2
$ destroy
$ restore
| create a hash:ip
| create b hash:ip
| add a 1.1.1.1
| swap a b
| rename a c
| add c 1.1.1.2
| flush b
| del c 1.1.1.2 -exist
| destroy a
$ save
1> create b hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
1> create c hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x?
$ destroy
$ restore -!
| create a hash:ip
| add a 1.1.1.1
| add a 1.1.1.1
